# The wheel, in a new environment; the tag reader's own tests run on it.
cp -R "$root/sdk/python" sdk
python3 -m pip wheel -q --disable-pip-version-check --no-deps -w dist ./sdk
python3 -m venv --without-pip venv
python3 -m pip -q --disable-pip-version-check --python venv/bin/python install dist/midplane-*.whl -r "$root/examples/tags/requirements.txt"
mkdir examples
cp -R "$root/examples/tags" "$root/examples/samples" examples
cd examples/tags
../../venv/bin/python -c 'import midplane, os; assert "site-packages" in os.path.abspath(midplane.__file__)'
../../venv/bin/python -m unittest discover -s tests
