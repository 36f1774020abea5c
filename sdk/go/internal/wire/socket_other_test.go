//go:build !unix

package wire_test

import (
	"errors"
	"os"
)

func socketPair() (ours, theirs *os.File, err error) {
	return nil, nil, errors.ErrUnsupported
}

func leave() error {
	return errors.ErrUnsupported
}
