module midplane.dev/sdk/go

go 1.22
