//! The command line, the same as that of the sample in C.

use mpt::{DType, Device, Fp8Recipe};

pub struct Options {
    /// F8E4M3 stands for fp8.
    pub precision: DType,
    pub recipe: Fp8Recipe,
    pub keep: String,
    pub device: Device,
    pub epochs: i64,
    pub batch: i64,
    pub limit: i64,
    pub stop: i64,
    pub seed: u64,
    pub threads: i32,
    pub eager: bool,
    pub data: String,
    pub out: String,
    pub resume: Option<String>,
}

const HELP: &str = "Trains a small convolutional network on Fashion-MNIST with mpt.

  --epochs N                how often to go over the training images (default 10)
  --batch N                 images per step (default 128)
  --limit N                 use only the first N images of each set (default 0: all)
  --precision f32|f16|bf16|fp8
                            what products compute in (default f32); f16 scales the loss
  --recipe current|delayed|unscaled
                            how fp8 finds its scales (default current)
  --keep PATTERNS           layers that fp8 leaves in bf16, for example 'conv1,*head'; a pattern that
                            matches none is refused with the list of layers
  --seed N                  of weights, order and noise (default 0)
  --device auto|cpu|cuda    where to compute (default auto: the GPU when it works)
  --threads N               threads of the CPU (default 0: one per core)
  --eager                   run each operation at once instead of a captured program
  --data DIR                the folder of the data
  --out DIR                 where checkpoint, log and plot go (default demo-output)
  --resume FILE             go on from a checkpoint
  --stop N                  end after row N of the table, to be resumed (default 0: the last)
  --help                    this text

NO_COLOR switches colours off. Exit codes: 0 done, 1 failed, 2 wrong options.
";

fn choice<T: Copy>(name: &str, text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(c, _)| *c == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(c, _)| *c).collect();
        format!("--{} {}: the choices are {}", name, text, names.join(" "))
    })
}

fn number(name: &str, text: &str, least: i64, most: i64) -> Result<i64, String> {
    match text.parse() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("--{} {}: a whole number from {} to {} is needed", name, text, least, most)),
    }
}

fn path(name: &str, text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(format!("--{} needs a path", name));
    }
    Ok(text.into())
}

fn set(o: &mut Options, name: &str, text: &str) -> Result<(), String> {
    match name {
        "precision" => o.precision = choice(name, text, &[("f32", DType::F32), ("f16", DType::F16), ("bf16", DType::Bf16), ("fp8", DType::F8E4M3)])?,
        "recipe" => o.recipe = choice(name, text, &[("current", Fp8Recipe::Current), ("delayed", Fp8Recipe::Delayed), ("unscaled", Fp8Recipe::Unscaled)])?,
        "device" => o.device = choice(name, text, &[("auto", Device::Auto), ("cpu", Device::Cpu), ("cuda", Device::Cuda)])?,
        "keep" => o.keep = text.into(),
        "epochs" => o.epochs = number(name, text, 1, 1000)?,
        "batch" => o.batch = number(name, text, 1, 60000)?,
        "limit" => o.limit = number(name, text, 0, i32::MAX.into())?,
        "stop" => o.stop = number(name, text, 0, 1000)?,
        "seed" => o.seed = number(name, text, 0, i64::MAX)? as u64,
        "threads" => o.threads = number(name, text, 0, 1024)? as i32,
        "data" => o.data = path(name, text)?,
        "out" => o.out = path(name, text)?,
        _ => o.resume = Some(path(name, text)?),
    }
    Ok(())
}

const WITH_VALUE: [&str; 13] = ["precision", "recipe", "keep", "device", "epochs", "batch", "limit", "stop", "seed", "threads", "data", "out", "resume"];

/// Takes "--name value" and "--name=value". None: the help was asked for.
fn parse(arguments: &[String]) -> Result<Option<Options>, String> {
    let mut o = Options {
        precision: DType::F32,
        recipe: Fp8Recipe::Current,
        keep: String::new(),
        device: Device::Auto,
        epochs: 10,
        batch: 128,
        limit: 0,
        stop: 0,
        seed: 0,
        threads: 0,
        eager: false,
        data: super::data::FOLDER.into(),
        out: "demo-output".into(),
        resume: None,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (argument.as_str(), None),
        };
        match (option, value) {
            ("--help" | "-h", None) => return Ok(None),
            ("--eager", None) => {
                o.eager = true;
                continue;
            }
            _ => {}
        }
        let name = option.strip_prefix("--").filter(|name| WITH_VALUE.contains(name)).ok_or_else(|| format!("{}: no such option; --help lists them", argument))?;
        let value = value.or_else(|| rest.next().map(|v| v.as_str())).ok_or_else(|| format!("--{} needs a value; --help shows which", name))?;
        set(&mut o, name, value)?;
    }
    Ok(Some(o))
}

/// Parses, makes the folder of --out, and ends the process where there is nothing to run.
pub fn options_or_exit() -> Options {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Ok(Some(o)) => {
            if let Err(error) = std::fs::create_dir_all(&o.out) {
                eprintln!("--out {}: the folder cannot be made or written: {}", o.out, error);
                std::process::exit(1);
            }
            o
        }
        Ok(None) => {
            print!("{}", HELP);
            std::process::exit(0)
        }
        Err(message) => {
            eprintln!("{}", message);
            std::process::exit(2)
        }
    }
}

impl Options {
    /// "f32", "f16", "bf16" or "fp8".
    pub fn precision_name(&self) -> String {
        precision_name(self.precision)
    }
}

pub fn precision_name(precision: DType) -> String {
    if precision == DType::F8E4M3 {
        "fp8".into()
    } else {
        precision.to_string()
    }
}
