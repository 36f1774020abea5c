# The module as a proxy serves it, and the checksum tree on it: its own tests, and a program that is built.
module=midplane.dev/sdk/go version=v0.1.0
mkdir -p "zip/${module%/*}" "proxy/$module/@v"
cp -R "$root/sdk/go" "zip/$module@$version"
# Without entries for folders, which go refuses.
(cd zip && python3 - "../proxy/$module/@v/$version.zip") <<END
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as made:
    for folder, _, names in os.walk("midplane.dev"):
        for name in names:
            made.write(os.path.join(folder, name))
END
cp "$root/sdk/go/go.mod" "proxy/$module/@v/$version.mod"
echo "{\"Version\":\"$version\"}" >"proxy/$module/@v/$version.info"
export GOPROXY="file://$PWD/proxy" GONOSUMDB='*' GOFLAGS='-mod=mod -modcacherw' GOMODCACHE="$PWD/modules" GOTOOLCHAIN=local GOWORK=off
mkdir checksums
cp "$root"/examples/checksums/*.go checksums
cd checksums
go mod init example.org/checksums
go get "$module@$version"
go test ./...
go build -o plugin .
