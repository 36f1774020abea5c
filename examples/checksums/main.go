// Checksums is a plugin that tells what is in files and folders by their SHA-256, as a Merkle tree: one short text
// changes whenever anything below does.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	midplane "midplane.dev/sdk/go"
)

// settings is the configuration.
type settings struct {
	// Root is the folder that all paths are below.
	Root string `json:"root"`
	// Files is how many one call reads at most.
	Files int `json:"files"`
}

var configured = settings{Root: ".", Files: 100_000}

// where is the input of every action on a folder.
type where struct {
	// Path is below the root, with / between its parts; empty for the root itself.
	Path string `json:"path"`
}

// earlier is the input of `compare`.
type earlier struct {
	where
	Files []File `json:"files"`
}

var plugin = midplane.New().
	About(midplane.Info{Description: "SHA-256 of files and folders as a Merkle tree, and what has changed since."}).
	OnValidateConfig(func(_ midplane.Context, wanted settings) error {
		if wanted.Files < 0 {
			return midplane.Errorf("config_invalid", "files is %d; it has to be 1 or more", wanted.Files)
		}
		return nil
	}).
	OnInit(configure).
	OnConfigChanged(configure).
	OnGetConfig(func(midplane.Context) (any, error) { return configured, nil }).
	Action("file", func(_ midplane.Context, content []byte) (map[string]any, error) {
		sum := sha256.Sum256(content)
		blocks := Blocks(content)
		return map[string]any{
			"size": len(content), "sha256": hex.EncodeToString(sum[:]), "root": Root(blocks), "blocks": len(blocks),
		}, nil
	}).
	Action("folder", func(ctx midplane.Context, at where) (Tree, error) { return read(ctx, at, nil) }).
	Action("lines", func(ctx midplane.Context, at where, reply midplane.Reply) error {
		_, err := read(ctx, at, func(file File) error {
			_, err := fmt.Fprintf(reply, "%s  %s\n", file.SHA256, file.Path)
			return err
		})
		return err
	}).
	Action("compare", func(ctx midplane.Context, before earlier) (Changes, error) {
		now, err := read(ctx, before.where, nil)
		return Compare(before.Files, now.Files), err
	})

func main() {
	midplane.Serve(plugin)
}

func configure(_ midplane.Context, wanted settings) error {
	if wanted.Root == "" {
		wanted.Root = "."
	}
	if wanted.Files == 0 {
		wanted.Files = 100_000
	}
	configured = wanted
	return nil
}

// read walks a folder and says what went wrong in the plugin's own codes.
func read(ctx midplane.Context, at where, each func(File) error) (Tree, error) {
	if at.Path == "" {
		at.Path = "."
	}
	if !fs.ValidPath(at.Path) {
		return Tree{}, midplane.Errorf("invalid_path", "%q is no path below the root; use names with / between them", at.Path)
	}
	tree, err := Walk(ctx, configured.Root, at.Path, configured.Files, each)
	if err == nil {
		ctx.Info("read", "path", at.Path, "files", len(tree.Files), "bytes", tree.Bytes)
	}
	return tree, err
}
