package web

import (
	"encoding/json"

	"parley/matcher"
)

// newCatalogue is what people may choose from, for the page. Browsers know what each language calls
// itself.
func newCatalogue() (*file, error) {
	type language struct {
		Tag string `json:"tag"`
	}
	var languages []language
	for _, l := range matcher.Languages() {
		languages = append(languages, language{l.Tag})
	}
	body, err := json.Marshal(struct {
		Languages []language `json:"languages"`
		Interests []string   `json:"interests"`
	}{languages, matcher.Interests()})
	if err != nil {
		return nil, err
	}
	return newFile("application/json", "no-cache", body)
}
