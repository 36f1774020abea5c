//! Adds up what test binaries report, from the lines they print.

/// What has been reported so far. Feed it every line of standard output, then [`Tally::end`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, and one for each binary that began and never came to a result.
    pub failed: u64,
    /// Tests that were not run because they are marked so.
    pub ignored: u64,
    /// Binaries that began and never came to a result: they crashed or were killed.
    pub died: u64,
    /// The names of the tests that failed, in the order they did.
    pub failures: Vec<String>,
    /// The tests that were not run because they are marked so, each with the reason that its mark gives.
    pub left_out: Vec<String>,
    running: bool,
}

impl Tally {
    /// Takes one line of output.
    pub fn line(&mut self, line: &str) {
        if is_beginning(line) {
            self.close();
            self.running = true;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.running = false;
            self.add(counts);
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failures.push(name.to_owned());
        } else if let Some((name, reason)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored"))
        {
            self.left_out.push(format!("{name}{}", reason.replacen(',', ":", 1)));
        }
    }

    /// Closes the account. `succeeded` is the exit status of the whole run: a failure that nobody counted counts as one.
    pub fn end(&mut self, succeeded: bool) {
        self.close();
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
    }

    /// The closing line, which machines read.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.running) {
            self.died += 1;
            self.failed += 1;
        }
    }

    /// `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
    fn add(&mut self, counts: &str) {
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for count in counts.split("; ") {
            let Some((number, what)) = count.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what.trim() {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn is_beginning(line: &str) -> bool {
    let count = line.strip_prefix("running ").and_then(|rest| rest.split_once(' '));
    count.is_some_and(|(number, what)| number.parse::<u64>().is_ok() && matches!(what.trim(), "test" | "tests"))
}
