package main

import (
	"errors"
	"math"
	"sort"
	"strings"
	"sync"
	"unicode"
)

// errFull says that the index takes no more documents.
var errFull = errors.New("the index is full")

// index finds documents by their words. Several goroutines may use it.
type index struct {
	mu       sync.RWMutex
	most     int
	texts    map[string]string
	lengths  map[string]int
	postings map[string]map[string]int
	words    int
}

// found is a document and how well it fits.
type found struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

func newIndex(most int) *index {
	return &index{most: most, texts: map[string]string{}, lengths: map[string]int{}, postings: map[string]map[string]int{}}
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// add takes a document, in place of one with the same id, and says how many there are.
func (x *index) add(id, text string) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, known := x.texts[id]; !known && len(x.texts) >= x.most {
		return len(x.texts), errFull
	}
	x.forget(id)
	words := wordsOf(text)
	for _, word := range words {
		if x.postings[word] == nil {
			x.postings[word] = map[string]int{}
		}
		x.postings[word][id]++
	}
	x.texts[id], x.lengths[id] = text, len(words)
	x.words += len(words)
	return len(x.texts), nil
}

func (x *index) remove(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, known := x.texts[id]
	x.forget(id)
	return known
}

func (x *index) forget(id string) {
	for _, word := range wordsOf(x.texts[id]) {
		delete(x.postings[word], id)
		if len(x.postings[word]) == 0 {
			delete(x.postings, word)
		}
	}
	x.words -= x.lengths[id]
	delete(x.texts, id)
	delete(x.lengths, id)
}

// search ranks by BM25 with its usual constants.
func (x *index) search(query string, limit int) []found {
	const k, b = 1.2, 0.75
	x.mu.RLock()
	defer x.mu.RUnlock()
	average := float64(x.words) / math.Max(float64(len(x.texts)), 1)
	scores := map[string]float64{}
	for _, word := range wordsOf(query) {
		documents := x.postings[word]
		rarity := math.Log(1 + (float64(len(x.texts)-len(documents))+0.5)/(float64(len(documents))+0.5))
		for id, count := range documents {
			often := float64(count)
			scores[id] += rarity * often * (k + 1) / (often + k*(1-b+b*float64(x.lengths[id])/average))
		}
	}
	all := make([]found, 0, len(scores))
	for id, score := range scores {
		all = append(all, found{id, score})
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Score != all[j].Score {
			return all[i].Score > all[j].Score
		}
		return all[i].ID < all[j].ID
	})
	return all[:min(limit, len(all))]
}

// each calls do with every document, in the order of their ids, until it fails.
func (x *index) each(do func(id, text string) error) error {
	x.mu.RLock()
	ids := make([]string, 0, len(x.texts))
	for id := range x.texts {
		ids = append(ids, id)
	}
	x.mu.RUnlock()
	sort.Strings(ids)
	for _, id := range ids {
		x.mu.RLock()
		text, still := x.texts[id]
		x.mu.RUnlock()
		if !still {
			continue
		}
		if err := do(id, text); err != nil {
			return err
		}
	}
	return nil
}
