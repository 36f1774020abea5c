package main

import (
	"crypto/sha256"
	"encoding/hex"
)

// Bytes of a block of a file.
const blockSize = 64 << 10

// Root is the root of the Merkle tree over these leaves, in hex. As in RFC 6962: a leaf is hashed with a 0 before it, two
// halves with a 1, and the left half is the largest power of two that leaves something for the right one. So no leaf can
// be taken for a half, nor can one tree for another.
func Root(leaves [][]byte) string {
	root := merkle(leaves)
	return hex.EncodeToString(root[:])
}

func merkle(leaves [][]byte) [sha256.Size]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	half := 1
	for half*2 < len(leaves) {
		half *= 2
	}
	left, right := merkle(leaves[:half]), merkle(leaves[half:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// Blocks cuts content into blocks; the last one may be shorter. Nothing has no block.
func Blocks(content []byte) [][]byte {
	var blocks [][]byte
	for len(content) > 0 {
		count := min(len(content), blockSize)
		blocks = append(blocks, content[:count])
		content = content[count:]
	}
	return blocks
}
