use midplane_sdk::prelude::*;

#[derive(Default)]
struct Fixture {
    calls: u64,
    config: Value,
}

/// Has a destructor, so that using it registers one with the thread.
struct Remembered(String);

impl Drop for Remembered {
    fn drop(&mut self) {
        self.0.clear();
    }
}

thread_local! {
    static REMEMBERED: Remembered = Remembered("kept".to_owned());
}

#[derive(serde::Deserialize)]
struct Guest {
    name: String,
}

#[expect(clippy::panic, reason = "one of the actions is there to panic")]
impl Plugin for Fixture {
    fn define() -> Definition<Self> {
        Definition::new()
            .action("answer", |_, (), _| Ok(ANSWER))
            .action("greet", |_, Json(guest): Json<Guest>, _| Ok(json!({"hello": guest.name})))
            .describe("Greets a guest")
            .raw("echo", |_, input, reply, _| reply.write(input))
            .action("count", |fixture: &mut Self, (), _| {
                fixture.calls += 1;
                Ok(Json(fixture.calls))
            })
            .action("config", |fixture: &mut Self, (), _| Ok(fixture.config.clone()))
            .action("identity", |_, (), context| {
                let own = context.plugin();
                Ok(json!({"id": own.id, "version": own.version, "generation": own.generation, "number": own.instance}))
            })
            .action("fail", |_, (), _| {
                Err::<(), _>(Error::new("no_such_guest", "nobody is at the door").recoverable().with("door", 3))
            })
            .action("panic", |_, (), _| -> Result<()> { panic!("the door fell off") })
            .action("ask", |_, function: String, context| context.host(&function, &json!({"key": "a"}), b"payload"))
            .raw("chunks", |_, input, reply, _| input.chunks(4).try_for_each(|chunk| reply.write(chunk)))
            .action("remember", |_, (), _| Ok(REMEMBERED.with(|remembered| remembered.0.clone())))
            .on_init(|fixture: &mut Self, Json(config): Json<Value>, context| {
                context.info("init");
                fixture.config = config;
                Ok(())
            })
            .on_health_check(|fixture: &mut Self, _| Ok(midplane_sdk::Health::healthy().with("calls", fixture.calls)))
            .on_export_state(|fixture: &mut Self, _| Ok(fixture.calls.to_le_bytes().to_vec()))
    }
}

midplane_sdk::plugin!(Fixture);
