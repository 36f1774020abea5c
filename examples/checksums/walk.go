package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	midplane "midplane.dev/sdk/go"
)

// File is one file of a folder.
type File struct {
	// Path is below the folder, with / between its parts.
	Path string `json:"path"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// SHA256 is of the content, in hex.
	SHA256 string `json:"sha256"`
}

// Tree is what a folder holds.
type Tree struct {
	// Root is that of the Merkle tree over all files: path, a zero, and the 32 bytes of the content's hash.
	Root string `json:"root"`
	// Files are in the order of their paths.
	Files []File `json:"files"`
	// Bytes is the size of all.
	Bytes int64 `json:"bytes"`
}

// Walk reads every file below a folder, in the order of their paths, and tells each of them as it is read. Symbolic links
// are not followed; what is neither file nor folder is left out. It ends with the context.
//
// Errors: not_found, too_many_files, io, and what `each` returns.
func Walk(ctx context.Context, root, folder string, most int, each func(File) error) (Tree, error) {
	tree := Tree{Files: []File{}}
	var leaves [][]byte
	files := os.DirFS(root)
	err := fs.WalkDir(files, folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if len(tree.Files) == most {
			return midplane.Errorf("too_many_files", "%s has more than %d files", folder, most).With("limit", most)
		}
		sum, size, err := hash(ctx, files, name)
		if err != nil {
			return err
		}
		file := File{within(folder, name), size, hex.EncodeToString(sum)}
		tree.Files = append(tree.Files, file)
		tree.Bytes += size
		leaves = append(leaves, append(append([]byte(file.Path), 0), sum...))
		if each == nil {
			return nil
		}
		return each(file)
	})
	tree.Root = Root(leaves)
	return tree, told(err)
}

func hash(ctx context.Context, files fs.FS, name string) ([]byte, int64, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, whileWanted{ctx, file})
	return sum.Sum(nil), size, err
}

// whileWanted reads until the context ends, also within a large file.
type whileWanted struct {
	ctx  context.Context
	from io.Reader
}

func (w whileWanted) Read(into []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.from.Read(into)
}

func within(folder, name string) string {
	switch {
	case folder == ".":
		return name
	case folder == name:
		return path.Base(name)
	default:
		return name[len(folder)+1:]
	}
}

// told gives what the file system says a code.
func told(err error) error {
	var trouble *fs.PathError
	switch {
	case err == nil || !errors.As(err, &trouble):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return midplane.Errorf("not_found", "%s is not there", trouble.Path).With("path", trouble.Path)
	default:
		return midplane.Errorf("io", "%v", err).With("path", trouble.Path)
	}
}

// Changes are what is different between two lists of files. Nothing is told as an empty list.
type Changes struct {
	Added   []string `json:"added"`
	Changed []string `json:"changed"`
	Removed []string `json:"removed"`
}

// Compare tells how a folder has changed.
func Compare(before, now []File) Changes {
	changes := Changes{Added: []string{}, Changed: []string{}, Removed: []string{}}
	known := map[string]string{}
	for _, file := range before {
		known[file.Path] = file.SHA256
	}
	for _, file := range now {
		switch sum, was := known[file.Path]; {
		case !was:
			changes.Added = append(changes.Added, file.Path)
		case sum != file.SHA256:
			changes.Changed = append(changes.Changed, file.Path)
		}
		delete(known, file.Path)
	}
	for _, file := range before {
		if _, gone := known[file.Path]; gone {
			changes.Removed = append(changes.Removed, file.Path)
			delete(known, file.Path)
		}
	}
	return changes
}
