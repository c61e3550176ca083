//! A context, a precision, steps that become programs, and the loop around them.

use mpt::{Context, DType, Element, Fp8, Layer, Optimizer, Policy, Program, Scaler, State, Tensor};

use super::options::{precision_name, Options};
use super::report::{self, Progress, Row, Shown, Terminal};

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What --precision asks for.
pub struct Training {
    pub ctx: Context,
    /// None: everything in f32.
    pub policy: Option<Policy>,
    /// None: only f16 needs one.
    pub scaler: Option<Scaler>,
    pub fp8: bool,
    pub eager: bool,
}

impl Training {
    pub fn open(o: &Options) -> mpt::Result<Training> {
        let ctx = Context::builder().device(o.device).threads(o.threads).seed(o.seed).build()?;
        let fp8 = o.precision == DType::F8E4M3;
        let policy = match o.precision {
            DType::F32 => None,
            // Linear layers and convolutions in fp8, all other products in bf16.
            DType::F8E4M3 => {
                let policy = Policy::new(&ctx, DType::Bf16)?;
                policy.set_fp8(&Fp8::new().recipe(o.recipe))?;
                for pattern in o.keep.split(',').filter(|p| !p.is_empty()) {
                    policy.set_layer(pattern, DType::Bf16)?;
                }
                Some(policy)
            }
            dtype => Some(Policy::new(&ctx, dtype)?),
        };
        // bf16 reaches as far as f32; in f16 small gradients would vanish without a scale.
        let scaler = if o.precision == DType::F16 { Some(Scaler::new(&ctx)?) } else { None };
        Ok(Training { ctx, policy, scaler, fp8, eager: o.eager })
    }
}

/// Does the name fit a pattern with '*' for any text and '?' for any character?
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (Some(b'*'), _) => matches(&pattern[1..], name) || (!name.is_empty() && matches(pattern, &name[1..])),
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(a), Some(b)) if a == b => matches(&pattern[1..], &name[1..]),
        (None, None) => true,
        _ => false,
    }
}

/// Ends the process with a message where a pattern of --keep matches no layer.
pub fn check_keep(o: &Options, model: &Layer) -> mpt::Result<()> {
    let mut layers: Vec<String> = model.parameters()?.filter(|(_, t)| t.ndim() >= 2).filter_map(|(name, _)| Some(name.rsplit_once('.')?.0.to_string())).collect();
    layers.dedup();
    for pattern in o.keep.split(',').filter(|p| !p.is_empty()) {
        if !layers.iter().any(|layer| matches(pattern.as_bytes(), layer.as_bytes())) {
            eprintln!("--keep {}: no layer has such a name. The layers with weights are\n  {}", pattern, layers.join("\n  "));
            std::process::exit(2);
        }
    }
    Ok(())
}

type Rule = dyn Fn(&Tensor, &Tensor) -> mpt::Result<(Tensor, Tensor)>;

/// A rule, such as "forward, backward, step", for batches of any size: the first batch of a size records it as a program, which later ones only
/// replay; with --eager it runs each time.
pub struct Phase<T, U> {
    rule: Box<Rule>,
    row: Vec<i64>,
    sizes: Vec<(usize, Tensor, Tensor, Option<Recorded>)>,
    types: std::marker::PhantomData<(T, U)>,
}

struct Recorded {
    program: Program,
    outputs: (Tensor, Tensor),
}

impl<T: Element, U: Element> Phase<T, U> {
    /// row: the shape of one of the first inputs; the second ones are numbers.
    pub fn new(row: &[i64], rule: impl Fn(&Tensor, &Tensor) -> mpt::Result<(Tensor, Tensor)> + 'static) -> Phase<T, U> {
        Phase { rule: Box::new(rule), row: row.to_vec(), sizes: Vec::new(), types: std::marker::PhantomData }
    }

    pub fn run(&mut self, t: &Training, x: &[T], y: &[U]) -> mpt::Result<(Tensor, Tensor)> {
        let n = y.len();
        let at = match self.sizes.iter().position(|size| size.0 == n) {
            Some(at) => at,
            None => {
                let mut shape = vec![n as i64];
                shape.extend(&self.row);
                let (a, b) = (Tensor::empty(&t.ctx, T::DTYPE, shape)?, Tensor::empty(&t.ctx, U::DTYPE, [n as i64])?);
                let recorded = if t.eager {
                    None
                } else {
                    let (program, outputs) = t.ctx.capture(|| (self.rule)(&a, &b))?;
                    Some(Recorded { program, outputs })
                };
                self.sizes.push((n, a, b, recorded));
                self.sizes.len() - 1
            }
        };
        let (_, a, b, recorded) = &self.sizes[at];
        match recorded {
            Some(r) => {
                r.program.feed(a, x)?;
                r.program.feed(b, y)?;
                r.program.run()?;
                Ok(r.outputs.clone())
            }
            None => {
                a.write(x)?;
                b.write(y)?;
                (self.rule)(a, b)
            }
        }
    }
}

/// Sums over rows, so that batches of different sizes can be put together.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    loss: f64,
    right: f64,
    n: f64,
}

impl Figures {
    /// Adds a batch of a classifier: its loss, and logits whose largest is the answer.
    pub fn add_answers(&mut self, loss: &Tensor, logits: &Tensor, labels: &[u8]) -> mpt::Result<()> {
        let n = labels.len() as f64;
        let values = logits.to_vec::<f32>()?;
        self.loss += loss.item()? * n;
        for (row, &label) in values.chunks(values.len() / labels.len()).zip(labels) {
            let best = (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
            self.right += f64::from(u8::from(best == usize::from(label)));
        }
        self.n += n;
        Ok(())
    }
    fn add(&mut self, other: &Figures) {
        self.loss += other.loss;
        self.right += other.right;
        self.n += other.n;
    }
    pub fn loss(&self) -> f64 {
        self.loss / self.n
    }
    pub fn accuracy(&self) -> f64 {
        self.right / self.n
    }
}

/// What the loop asks of a training.
pub trait Task {
    fn training(&self) -> &Training;
    fn model(&self) -> &Layer;
    fn optimizer(&self) -> &Optimizer;
    /// Steps of an epoch.
    fn steps(&self) -> i64;
    /// Before an epoch, counted from 0.
    fn begin(&mut self, epoch: i64, seed: u64) -> mpt::Result<()>;
    /// The next step. Reading results waits for the device, so they are asked for now and then only.
    fn step(&mut self, read: Option<&mut Figures>) -> mpt::Result<()>;
    fn test(&mut self) -> mpt::Result<Figures>;
}

/// All that a run needs to go on as if it had never stopped.
fn make_state(task: &impl Task, seed: u64) -> mpt::Result<State> {
    let t = task.training();
    let state = State::new(&t.ctx)?;
    state.add_layer("model", task.model())?;
    state.add_optimizer("optimizer", task.optimizer())?;
    if let (true, Some(policy)) = (t.fp8, &t.policy) {
        state.add_fp8("fp8", policy, task.model())?;
    }
    if let Some(scaler) = &t.scaler {
        state.add_scaler("scaler", scaler)?;
    }
    state.add_random("random")?;
    state.set_number("epoch", 0)?;
    state.set_number("seed", seed as i64)?;
    Ok(state)
}

/// A checkpoint keeps a precision by its number in mpt.h.
const PRECISIONS: [(DType, i64); 4] = [(DType::F32, 2), (DType::F16, 3), (DType::Bf16, 4), (DType::F8E4M3, 5)];

fn precision_number(precision: DType) -> i64 {
    PRECISIONS.iter().find(|p| p.0 == precision).map_or(0, |p| p.1)
}

/// Goes on from a checkpoint; gives epoch and seed.
fn resume(task: &impl Task, o: &Options, file: &str, state: &State) -> Outcome<(i64, u64)> {
    let first = State::new(&task.training().ctx)?;
    first.set_number("precision", precision_number(o.precision))?;
    let was = match first.load(file) {
        Ok(()) => first.number("precision")?,
        Err(_) => precision_number(o.precision),
    };
    let was = PRECISIONS.iter().find(|p| p.1 == was).map_or(DType::None, |p| p.0);
    let loaded = state.load(file);
    if was != o.precision {
        let (from, to) = (precision_name(was), o.precision_name());
        if let Err(error) = &loaded {
            eprintln!("--resume {}: it was saved with --precision {} and cannot go on with --precision {}:\n  {}", file, from, to, error.message());
            std::process::exit(2);
        }
        println!("{} was saved with --precision {} and goes on with --precision {}", file, from, to);
    }
    loaded?;
    Ok((state.number("epoch")?, state.number("seed")? as u64))
}

fn scaling(task: &impl Task) -> mpt::Result<(f64, i64)> {
    let scale = task.training().scaler.as_ref().map_or(Ok(0.0), |s| s.scale())?;
    Ok((scale, task.optimizer().counts()?.skipped))
}

fn train_epoch(task: &mut impl Task, bar: &mut Progress<'_>) -> mpt::Result<Figures> {
    let mut epoch = Figures::default();
    let mut shown = Shown { loss: f64::NAN, accuracy: f64::NAN, scale: 0.0, skipped: 0 };
    let steps = task.steps();
    for step in 1..=steps {
        if step % 10 == 1 || step == steps {
            let mut now = Figures::default();
            task.step(Some(&mut now))?;
            epoch.add(&now);
            let (scale, skipped) = scaling(task)?;
            shown = Shown { loss: now.loss(), accuracy: epoch.accuracy(), scale, skipped };
        } else {
            task.step(None)?;
        }
        bar.update(step, &shown);
    }
    Ok(epoch)
}

/// Trains from the start or from --resume; gives the figures of the last test.
pub fn train(task: &mut impl Task, o: &Options, what: &str) -> Outcome<Figures> {
    let terminal = Terminal::open();
    let [checkpoint, log, plot] = ["checkpoint.safetensors", "log.csv", "plot.svg"].map(|name| format!("{}/{}", o.out, name));
    check_keep(o, task.model())?;
    let state = make_state(task, o.seed)?;
    let (mut epoch, mut seed, mut rows) = (0, o.seed, Vec::new());
    if let Some(file) = &o.resume {
        let (e, s) = resume(task, o, file, &state)?;
        epoch = e;
        seed = s;
        rows = report::read_csv(&log, epoch);
    }
    state.set_number("precision", precision_number(o.precision))?;
    let title = format!("{} in {}, seed {}", what, o.precision_name(), seed);
    println!("{}, {}\non {}", title, if o.eager { "eager" } else { "captured" }, task.training().ctx.describe()?);
    report::print_header(&terminal);
    rows.iter().for_each(report::print_row);

    let end = if o.stop > 0 { o.stop.min(o.epochs) } else { o.epochs };
    let mut tested = Figures::default();
    if epoch >= end {
        tested = task.test()?; // a checkpoint of a finished run is tested once more
    }
    while epoch < end {
        let steps = task.steps();
        let mut bar = Progress::begin(&terminal, format!("epoch {}/{}", epoch + 1, o.epochs), steps, steps * (end - epoch - 1));
        task.begin(epoch, seed)?;
        let trained = train_epoch(task, &mut bar)?;
        let seconds = bar.seconds();
        tested = task.test()?;
        bar.end();

        epoch += 1;
        let (scale, skipped) = scaling(task)?;
        let row = Row {
            epoch,
            seconds,
            rate: task.optimizer().lr()?,
            train_loss: trained.loss(),
            train_accuracy: trained.accuracy(),
            test_loss: tested.loss(),
            test_accuracy: tested.accuracy(),
            scale,
            skipped,
        };
        report::print_row(&row);
        rows.push(row);
        state.set_number("epoch", epoch)?;
        state.save(&checkpoint)?;
        report::write_csv(&rows, &log).map_err(|e| format!("{}: {}", log, e))?;
        report::write_plot(&rows, &plot, &title).map_err(|e| format!("{}: {}", plot, e))?;
    }
    println!("written: {}, {}, {}", checkpoint, log, plot);
    Ok(tested)
}
