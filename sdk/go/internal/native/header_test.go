package native

import (
	"bytes"
	"os"
	"testing"
)

func TestTheHeaderIsThatOfTheContract(t *testing.T) {
	contract, err := os.ReadFile("../../../../contract/midplane.h")
	if err != nil {
		t.Skip("the contract is not beside this module:", err)
	}
	if ours, err := os.ReadFile("midplane.h"); err != nil || !bytes.Equal(ours, contract) {
		t.Error("midplane.h is not contract/midplane.h any longer: copy it here", err)
	}
}
