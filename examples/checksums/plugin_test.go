package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	midplane "midplane.dev/sdk/go"
	"midplane.dev/sdk/go/midplanetest"
)

// The leaves and roots that implementations of RFC 6962 test with.
func TestRootsAreThoseOfOtherImplementations(t *testing.T) {
	leaves := make([][]byte, 8)
	for n, text := range []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"} {
		leaves[n], _ = hex.DecodeString(text)
	}
	for count, want := range map[int]string{
		0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	} {
		if got := Root(leaves[:count]); got != want {
			t.Errorf("%d leaves: %s", count, got)
		}
	}
}

func TestAFileIsToldByItsContent(t *testing.T) {
	reply, err := midplanetest.New(t, plugin).Call("file", "abc")
	if err != nil || !strings.Contains(string(reply), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") {
		t.Fatalf("%s, %v", reply, err)
	}
	if blocks := Blocks(make([]byte, blockSize+1)); len(blocks) != 2 || len(blocks[1]) != 1 {
		t.Error(len(blocks))
	}
}

// folder makes a root with some files in it, and a bench that is configured for it.
func folder(t *testing.T) (*midplanetest.Bench, string) {
	root := t.TempDir()
	for name, content := range map[string]string{"a.txt": "a", "b/c.txt": "c", "b/d/e.txt": "", "b.txt": "b"} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	bench := midplanetest.New(t, plugin)
	if _, _, err := bench.Hook("init", settings{Root: root}); err != nil {
		t.Fatal(err)
	}
	return bench, root
}

func TestLinesAreThoseOfSha256sum(t *testing.T) {
	bench, root := folder(t)
	chunks, err := bench.Chunks("lines", nil)
	if err != nil || len(chunks) != 4 {
		t.Fatalf("%q, %v", chunks, err)
	}
	check := exec.Command("sha256sum", "--check", "--strict")
	if check.Path == "" || check.Err != nil {
		t.Skip("sha256sum is not on this machine (Debian: coreutils)")
	}
	check.Dir, check.Stdin = root, strings.NewReader(string(chunks[0])+string(chunks[1])+string(chunks[2])+string(chunks[3]))
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s", said)
	}
}

func TestTheRootChangesWithNamesAndContentAndNothingElse(t *testing.T) {
	bench, root := folder(t)
	tree := func(path string) (tree Tree) {
		if err := bench.CallJSON("folder", where{path}, &tree); err != nil {
			t.Fatal(err)
		}
		return tree
	}
	first := tree("")
	if len(first.Files) != 4 || first.Bytes != 3 || first.Root != tree("").Root {
		t.Fatal(first)
	}
	if err := os.Rename(filepath.Join(root, "a.txt"), filepath.Join(root, "z.txt")); err != nil {
		t.Fatal(err)
	}
	second := tree("")
	if second.Root == first.Root {
		t.Error("another name gives the same root")
	}
	if below := tree("b"); len(below.Files) != 2 || below.Files[0].Path != "c.txt" {
		t.Error(below)
	}
	var changes Changes
	if err := bench.CallJSON("compare", earlier{Files: first.Files}, &changes); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(changes) != "{[z.txt] [] [a.txt]}" {
		t.Error(changes)
	}
}

func TestPathsStayBelowTheRootAndLinksAreNotFollowed(t *testing.T) {
	bench, root := folder(t)
	for path, code := range map[string]string{"../x": "invalid_path", "/etc": "invalid_path", "b/../..": "invalid_path", "none": "not_found"} {
		_, err := bench.Call("folder", where{path})
		var failure *midplane.Error
		if !errors.As(err, &failure) || failure.Code != code {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(root, "link")); err != nil {
		t.Skip(err)
	}
	if reply, err := bench.Call("folder", nil); err != nil || strings.Contains(string(reply), "link") {
		t.Errorf("%s, %v", reply, err)
	}
}

func TestTooManyFilesAndAGivenUpCallEndIt(t *testing.T) {
	bench, root := folder(t)
	if _, _, err := bench.Hook("config_changed", settings{Root: root, Files: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := bench.Call("folder", nil); err == nil || !strings.HasPrefix(err.Error(), "too_many_files") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bench.Within(ctx).Call("folder", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, _, err := bench.Hook("validate_config", settings{Files: -1}); err == nil {
		t.Error("a number of files below 0 is accepted")
	}
}
