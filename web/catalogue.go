package web

import (
	"encoding/json"

	"parley/matcher"
)

// newCatalogue is what people may choose from, for the page.
func newCatalogue() (*file, error) {
	body, err := json.Marshal(struct {
		Languages []matcher.Language `json:"languages"`
		Interests []string           `json:"interests"`
	}{matcher.Languages(), matcher.Interests()})
	if err != nil {
		return nil, err
	}
	return newFile("application/json", "no-cache", body)
}
