package web

import "encoding/json"

// newCatalogue is what people may choose from, for the page.
func newCatalogue() (*file, error) {
	body, err := json.Marshal(map[string]any{"languages": []string{}, "interests": []string{}})
	if err != nil {
		return nil, err
	}
	return newFile("application/json", never, body)
}
