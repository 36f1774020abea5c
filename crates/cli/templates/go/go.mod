module example.com/{{id}}

go {{go}}

require midplane.dev/sdk/go v0.0.0

// The SDK came with `midplane new`. Once it is published, this line is not needed.
replace midplane.dev/sdk/go => ./.midplane/sdk
