//! MLflow's own command line, without its seconds of starting.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;

use crate::{Ran, variable};

/// The longest that one command may take, in seconds.
const DEADLINE: u32 = 120;

/// A command for MLflow, or a function of a module beside the worker's script.
#[derive(Debug)]
pub struct Job<'a> {
    /// `mlflow.cli:cli`, or `module:function`.
    pub call: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
    /// The current directory.
    pub directory: &'a Path,
    /// All of its environment.
    pub environment: &'a [(String, String)],
}

/// Processes that have imported MLflow; as many as are used at the same time.
#[derive(Debug)]
pub struct Workers {
    script: PathBuf,
    idle: Mutex<Vec<Worker>>,
}

impl Workers {
    /// None yet; the first job starts one. `script` is `tests/data/mlflow_worker.py`.
    pub fn new(script: impl Into<PathBuf>) -> Self {
        Self { script: script.into(), idle: Mutex::default() }
    }

    /// Runs one job to its end.
    ///
    /// # Panics
    /// If a worker cannot be started or ends before its job.
    pub fn run(&self, job: &Job<'_>) -> Ran {
        let idle = self.lock().pop();
        let mut worker = idle.unwrap_or_else(|| Worker::start(&self.script));
        let ran = worker.run(job);
        self.lock().push(worker);
        ran
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process. It ends when its standard input is closed, also when these tests are killed.
#[derive(Debug)]
struct Worker {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    output: TempDir,
}

impl Worker {
    fn start(script: &Path) -> Self {
        let mut process = Command::new(variable("MLFETCH_TEST_PYTHON"))
            .arg(script)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("it was asked for"));
        let output = TempDir::new().expect("a directory");
        Self { process, questions, answers, output }
    }

    fn run(&mut self, job: &Job<'_>) -> Ran {
        let (stdout, stderr) = (self.output.path().join("1"), self.output.path().join("2"));
        let (module, function) = job.call.split_once(':').expect("module:function");
        let environment: serde_json::Map<String, serde_json::Value> =
            job.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let question = json!({
            "module": module, "function": function, "arguments": job.arguments,
            "directory": job.directory, "environment": environment,
            "stdout": stdout, "stderr": stderr, "seconds": DEADLINE,
        });
        let begun = Instant::now();
        let code = self.ask(&question);
        let took = begun.elapsed();
        let text = |path| String::from_utf8_lossy(&std::fs::read(path).expect("output")).into();
        Ran { code, stdout: text(&stdout), stderr: text(&stderr), took }
    }

    fn ask(&mut self, question: &serde_json::Value) -> i32 {
        let questions = self.questions.as_mut().expect("it is closed only at the end");
        writeln!(questions, "{question}").expect("the worker takes jobs");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the worker answers");
        let answer: serde_json::Value =
            serde_json::from_str(&answer).expect("the worker ended; its error is above");
        let code = answer["exit"].as_i64().expect("an exit code");
        // Python gives the signal's number as a negative code.
        i32::try_from(if code < 0 { 128 - code } else { code }).expect("a small number")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.questions.take());
        // It ends by itself now; whether it does well no longer matters.
        let _ = self.process.wait();
    }
}
