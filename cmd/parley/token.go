package main

import (
	"context"
	"fmt"
	"io"
)

//nolint:gosec // it says how to make a token, and holds none
const tokenHelp = `parley console makes and removes the tokens of those who may use the console.

  parley console token NAME     makes a token and prints it this once; NAME stands in the audit file
  parley console remove NAME    takes it away, from the next request on
  parley console list           who has one

The console is at /console/ on --operator-listen, and off as long as nobody has a token.
`

func tokenVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{"token": makeToken, "remove": removeToken, "list": listTokens}
}

func makeToken(_ context.Context, c *deskCall) error {
	name, err := c.oneWord("the NAME of whoever gets the token")
	if err != nil {
		return err
	}
	token, err := c.tokens.Make(name, c.now)
	if err != nil {
		return err
	}
	return c.say(map[string]string{"name": name, "token": token}, func(w io.Writer) {
		fmt.Fprintf(w, "%s\nThis is the token of %s. It is not shown again and is kept nowhere; only its hash is.\n", token, name)
	})
}

func removeToken(_ context.Context, c *deskCall) error {
	name, err := c.oneWord("the NAME whose token is to go")
	if err != nil {
		return err
	}
	if err := c.tokens.Remove(name); err != nil {
		return err
	}
	return c.say(map[string]string{"removed": name}, func(w io.Writer) { fmt.Fprintf(w, "the token of %s is gone\n", name) })
}

func listTokens(_ context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	names, err := c.tokens.Names()
	if err != nil {
		return err
	}
	return c.say(append([]string{}, names...), func(w io.Writer) {
		for _, name := range names {
			fmt.Fprintln(w, name)
		}
	})
}
