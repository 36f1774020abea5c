package main

import midplane "midplane.dev/sdk/go"

type Guest struct {
	Name string `json:"name"`
}

type Greeting struct {
	Hello string `json:"hello"`
}

var plugin = midplane.New().Action("greet", func(ctx midplane.Context, guest Guest) (Greeting, error) {
	if guest.Name == "" {
		return Greeting{}, midplane.Errorf("invalid_input", "the name is missing")
	}
	return Greeting{Hello: guest.Name}, nil
})

func main() { midplane.Serve(plugin) }
