//! Versions that a source of packages offers, and marks of versions, in plans.

use std::sync::Arc;

use midplane_contract::manifest::{Dependency, DependencyKind};
use midplane_contract::{Code, Error, PluginId, VersionRange};
use midplane_kernel::catalog::Marks;
use midplane_kernel::resolve::{PackageSource, Plan, Release, Requirement, Standing};
use midplane_testkit::Fake;
use serde_json::json;

use crate::dependencies::{needing, on};
use crate::house::{House, name};

/// What a repository would offer: `offered` in two versions, of which the newer one needs `deeper`.
struct Repository;

impl PackageSource for Repository {
    fn name(&self) -> &str {
        "test"
    }

    fn releases(&self, id: &PluginId) -> Result<Vec<Release>, Error> {
        let of = |version: &str, needs: &[&str]| {
            let mut release = Release::new(version.parse().unwrap());
            let need = |id: &&str| Dependency {
                id: name(id),
                version: VersionRange::any(),
                optional: false,
                kind: DependencyKind::Run,
            };
            release.dependencies = needs.iter().map(need).collect();
            release
        };
        match id.as_str() {
            "offered" => Ok(vec![of("1.0.0", &[]), of("1.1.0", &["deeper"])]),
            "deeper" => Ok(vec![of("2.0.0", &[])]),
            "broken" => Err(Error::new(Code::Io, "the repository is away")),
            _ => Ok(Vec::new()),
        }
    }
}

#[test]
fn what_a_source_offers_is_part_of_the_plan_and_one_that_cannot_say_is_the_answer() {
    let house = House::over(Fake::new(), |builder| builder.package_source(Arc::new(Repository)));
    let top = house.register(&needing("top", json!([{ "id": "offered", "version": "^1" }, { "id": "base" }])));
    house.register(&needing("base", on(&[])));
    let plan = house.kernel.resolve(vec![Requirement::any(top)]).unwrap();
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.id.as_str(), step.version.minor, step.standing)).collect();
    let (offered, installed) = (Standing::Offered, Standing::Installed);
    assert_eq!(steps, [("base", 0, installed), ("deeper", 0, offered), ("offered", 1, offered), ("top", 0, installed)]);
    let lost = house.register(&needing("lost", on(&["broken"])));
    let error = house.kernel.resolve(vec![Requirement::any(lost)]).unwrap_err();
    assert_eq!((error.code(), &error.record().data["source"]), (Code::Io, &json!("test")));
}

#[test]
fn marks_of_versions_count_in_plans() {
    let house = House::over(Fake::new(), |builder| builder.package_source(Arc::new(Repository)));
    let id = house.register(&needing("offered", on(&[])));
    let version = |plan: Plan| plan.step(&id).map(|step| (step.version.to_string(), step.deprecated.is_some()));
    let chosen = || version(house.kernel.resolve(vec![Requirement::any(id.clone())]).unwrap()).unwrap();
    // What is here comes first, unless its author's marks speak against it.
    assert_eq!(chosen(), ("1.0.0".to_owned(), false));
    let mark = |marks: Marks| house.kernel.catalog().mark_version(&id, &"1.0.0".parse().unwrap(), marks).unwrap();
    mark(Marks { deprecated: Some(true), ..Marks::default() });
    assert_eq!(chosen(), ("1.1.0".to_owned(), false));
    mark(Marks { deprecated: Some(false), stable: Some(false) });
    assert_eq!(chosen(), ("1.1.0".to_owned(), false));
}
