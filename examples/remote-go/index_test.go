package main

import "testing"

func TestTheDocumentWithMoreOfTheWordsComesFirst(t *testing.T) {
	x := newIndex(3)
	for id, text := range map[string]string{"a": "blue sky, blue sea", "b": "a blue car", "c": "green grass"} {
		if _, err := x.add(id, text); err != nil {
			t.Fatal(err)
		}
	}
	all := x.search("BLUE sky", 10)
	if len(all) != 2 || all[0].ID != "a" || all[1].ID != "b" {
		t.Fatalf("found %v", all)
	}
	if _, err := x.add("d", "more"); err != errFull {
		t.Fatalf("a full index says %v", err)
	}
	if _, err := x.add("a", "replaced"); err != nil {
		t.Fatal(err)
	}
	if all := x.search("sky", 10); len(all) != 0 {
		t.Fatalf("words of a replaced document find %v", all)
	}
}
