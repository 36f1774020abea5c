# The tarball of `npm pack`, installed; the Markdown linter's own tests run on it.
npm pack --silent "$root/sdk/js"
mkdir examples
cp -R "$root/examples/README.md" "$root/examples/samples" examples
mkdir examples/markdown-lint
cd examples/markdown-lint
cp -R "$root"/examples/markdown-lint/*.js "$root"/examples/markdown-lint/package.json "$root"/examples/markdown-lint/test .
npm pkg set devDependencies.midplane=file:../../midplane-0.1.0.tgz
npm install --silent --prefer-offline --no-audit --no-fund --no-package-lock
test ! -L node_modules/midplane
test -x node_modules/.bin/midplane-dial
node --test
