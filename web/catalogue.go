package web

import (
	"encoding/json"

	"parley/matcher"
)

// newCatalogue is what people may choose from, for the page, and what it must know of this server.
// Browsers know what each language calls itself.
func newCatalogue(cfg Config) *remade[day] {
	return &remade[day]{make: func(today day) (*file, error) { return catalogueOn(cfg, today) }}
}

// catalogueOn is what the page is told on one day.
func catalogueOn(cfg Config, today day) (*file, error) {
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
		Signals   bool       `json:"signals"`
		Contact   string     `json:"contact"`
		Changed   string     `json:"changed,omitempty"` // the day on which who else touches data changed, for 30 days
	}{languages, matcher.Interests(), !cfg.TokenOnly, cfg.Contact, changed(changes(cfg.Processors, cfg.Noted), today)})
	if err != nil {
		return nil, err
	}
	return newFile("application/json", "no-cache", body)
}
