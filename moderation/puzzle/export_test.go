package puzzle

// Mac is over any number of fields.
func Mac(key []byte, fields ...string) []byte {
	all := make([][]byte, len(fields))
	for i, f := range fields {
		all[i] = []byte(f)
	}
	return Press{key}.mac(all...)
}
