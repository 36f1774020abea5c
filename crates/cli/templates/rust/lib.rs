use midplane_sdk::prelude::*;

#[derive(serde::Deserialize)]
struct Guest {
    name: String,
}

/// One instance of the plugin; what it remembers between calls goes in here.
#[derive(Default)]
struct Greeter;

impl Plugin for Greeter {
    fn define() -> Definition<Self> {
        Definition::new().action("greet", |_, Json(guest): Json<Guest>, _| Ok(Json(json!({ "hello": guest.name }))))
    }
}

midplane_sdk::plugin!(Greeter);
