module midplane.dev/bare

go 1.22

require midplane.dev/sdk/go v0.0.0

replace midplane.dev/sdk/go => ../../../../sdk/go
