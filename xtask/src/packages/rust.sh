# The packaged crate, which cargo builds once by itself, and a plugin on it.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
cd "$root"
cargo package --quiet --package midplane-sdk --allow-dirty --offline --target-dir "$target/packages"
cd - >/dev/null
mkdir greeter greeter/src
cd greeter
cat >Cargo.toml <<END
[package]
name = "greeter"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[dependencies]
midplane-sdk = { path = "$target/packages/package/midplane-sdk-0.1.0" }
serde = { version = "1", features = ["derive"] }

[workspace]
END
cat >src/lib.rs <<'END'
use midplane_sdk::prelude::*;

#[derive(serde::Deserialize)]
struct Guest {
    name: String,
}

#[derive(Default)]
struct Greeter;

impl Plugin for Greeter {
    fn define() -> Definition<Self> {
        Definition::new().action("greet", |_, Json(guest): Json<Guest>, context| {
            let seen = context.state_get_json(&guest.name)?.unwrap_or(0) + 1;
            context.state_set_json(&guest.name, &seen, None)?;
            Ok(json!({"hello": guest.name, "seen": seen}))
        })
    }
}

midplane_sdk::plugin!(Greeter);

#[test]
fn it_greets_and_counts() {
    let mut bench = midplane_sdk::testing::Bench::<Greeter>::new();
    bench.call("greet", r#"{"name": "Ada"}"#).unwrap();
    assert_eq!(bench.call("greet", r#"{"name": "Ada"}"#).unwrap(), br#"{"hello":"Ada","seen":2}"#);
}
END
cp "$target/packages/package/midplane-sdk-0.1.0/Cargo.lock" .
cargo test --quiet --offline --target-dir "$target/packages"
cargo build --quiet --offline --target-dir "$target/packages"
