use super::*;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("midplane-lock-{name}-{}", super::super::unique()));
    fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
    }
    path
}

fn lock(files: &[(&str, &str)]) -> Result<Option<Lock>> {
    let path = folder("one", files);
    let found = of(&path);
    fs::remove_dir_all(path).unwrap();
    found
}

fn hash(files: &[(&str, &str)]) -> String {
    lock(files).unwrap().unwrap().hash
}

#[test]
fn a_folder_without_requirements_needs_nothing() {
    assert_eq!(lock(&[]).unwrap(), None);
    assert_eq!(lock(&[("requirements.txt", "# nothing yet\n\n")]).unwrap(), None);
    assert_eq!(lock(&[("pyproject.toml", "[project]\nname = 'x'\n")]).unwrap(), None);
}

#[test]
fn requirements_come_before_a_project() {
    let both = [("requirements.txt", "a==1"), ("pyproject.toml", "[project]\ndependencies = ['b']")];
    assert_eq!(lock(&both).unwrap().unwrap().form, Form::Requirements);
    assert_eq!(lock(&both[1..]).unwrap().unwrap().form, Form::Project);
}

#[test]
fn the_hash_follows_the_content_and_what_it_includes() {
    assert_eq!(hash(&[("requirements.txt", "a==1")]), hash(&[("requirements.txt", "a==1")]));
    assert_ne!(hash(&[("requirements.txt", "a==1")]), hash(&[("requirements.txt", "a==2")]));
    let including = |text| hash(&[("requirements.txt", "-r more.txt"), ("more.txt", text)]);
    assert_ne!(including("a==1"), including("a==2"));
    let wheel = |text| hash(&[("requirements.txt", "./a.whl"), ("a.whl", text)]);
    assert_ne!(wheel("one"), wheel("two"));
}

#[test]
fn what_cannot_be_followed_is_refused() {
    for text in ["-e .", "-r missing.txt", "--requirement=requirements.txt", "."] {
        let error = lock(&[("requirements.txt", text)]).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid, "{text}: {error}");
    }
}
