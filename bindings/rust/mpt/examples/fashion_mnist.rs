//! Trains a small convolutional network on Fashion-MNIST, in f32, f16, bf16 or fp8: the options and the output of the sample in C.
//!
//! Read from the top: the model, one training step, one evaluation, the loop. What is not about mpt is in `common`.

mod common;

use common::data::{Images, CLASSES, SIDE};
use common::options::{options_or_exit, Options};
use common::training::{train, Figures, Outcome, Phase, Task, Training};
use mpt::{Adam, Context, Conv2d, DType, GradMode, Layer, Linear, Optimizer, Policy, Tensor};

const TEST_BATCH: i64 = 500;

fn build_model(ctx: &Context) -> mpt::Result<Layer> {
    let max_pool = |ctx: &Context| Layer::max_pool2d(ctx, None); // 2 x 2: the default
    Layer::sequential(ctx)? // [N, 1, 28, 28]
        .with("conv1", Conv2d::new(1, 32))? // -> [N, 32, 26, 26]
        .with("relu1", Layer::relu)?
        .with("pool1", max_pool)? // -> [N, 32, 13, 13]
        .with("conv2", Conv2d::new(32, 64))? // -> [N, 64, 11, 11]
        .with("relu2", Layer::relu)?
        .with("pool2", max_pool)? // -> [N, 64, 5, 5]
        .with("conv3", Conv2d::new(64, 64))? // -> [N, 64, 3, 3]
        .with("relu3", Layer::relu)?
        .with("flatten", Layer::flatten)? // -> [N, 576]
        .with("linear1", Linear::new(576, 64))?
        .with("relu4", Layer::relu)?
        .with("linear2", Linear::new(64, CLASSES as i64))
}

/// The loss and the logits. Under autocast products run in the policy's type, the loss in f32.
fn forward(model: &Layer, policy: Option<&Policy>, images: &Tensor, labels: &Tensor) -> mpt::Result<(Tensor, Tensor)> {
    let (loss, logits) = model.context().autocast(policy, || {
        let logits = model.forward(images)?;
        Ok((logits.cross_entropy(labels, None)?, logits))
    })?;
    Ok((loss, logits.cast(DType::F32)?))
}

struct Trainer {
    t: Training,
    model: Layer,
    optimizer: Optimizer,
    train_set: Images,
    test_set: Images,
    train_phase: Phase<f32, u8>,
    test_phase: Phase<f32, u8>,
}

impl Trainer {
    fn new(o: &Options) -> Outcome<Trainer> {
        let train_set = Images::open(&o.data, "train", o.limit, o.batch)?;
        let test_set = Images::open(&o.data, "t10k", o.limit, TEST_BATCH)?;
        let t = Training::open(o)?;
        let model = build_model(&t.ctx)?;
        let optimizer = Adam::new().build(&t.ctx)?;
        optimizer.add_layer(&model)?;

        let (m, p, s, a) = (model.clone(), t.policy.clone(), t.scaler.clone(), optimizer.clone());
        let train_phase = Phase::new(&[1, SIDE, SIDE], move |images, labels| {
            let (loss, logits) = forward(&m, p.as_ref(), images, labels)?;
            loss.backward(s.as_ref(), GradMode::Write)?; // of the scaled loss, so that small gradients survive f16
            a.step(s.as_ref())?; // unscales, and skips the step where a gradient overflowed
            if let Some(scaler) = &s {
                scaler.update()?; // a lower scale after a skip, a higher one after many good steps
            }
            Ok((loss, logits))
        });
        let (m, p) = (model.clone(), t.policy.clone());
        let test_phase = Phase::new(&[1, SIDE, SIDE], move |images, labels| m.context().no_grad(|| forward(&m, p.as_ref(), images, labels)));
        Ok(Trainer { t, model, optimizer, train_set, test_set, train_phase, test_phase })
    }
}

impl Task for Trainer {
    fn training(&self) -> &Training {
        &self.t
    }
    fn model(&self) -> &Layer {
        &self.model
    }
    fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }
    fn steps(&self) -> i64 {
        self.train_set.batches()
    }

    fn begin(&mut self, epoch: i64, seed: u64) -> mpt::Result<()> {
        // The rate falls without looking at the number of epochs, so that a resumed run follows it too; a captured program sees it.
        self.optimizer.set_lr(1e-3 * 0.8f64.powf(epoch as f64))?;
        self.train_set.shuffle(epoch, seed);
        Ok(())
    }

    fn step(&mut self, read: Option<&mut Figures>) -> mpt::Result<()> {
        self.train_set.next();
        let (loss, logits) = self.train_phase.run(&self.t, &self.train_set.pixels, &self.train_set.labels)?;
        read.map_or(Ok(()), |figures| figures.add_answers(&loss, &logits, &self.train_set.labels))
    }

    fn test(&mut self) -> mpt::Result<Figures> {
        let mut figures = Figures::default();
        while self.test_set.next() > 0 {
            let (loss, logits) = self.test_phase.run(&self.t, &self.test_set.pixels, &self.test_set.labels)?;
            figures.add_answers(&loss, &logits, &self.test_set.labels)?;
        }
        Ok(figures)
    }
}

fn run(o: &Options) -> Outcome<()> {
    let mut trainer = Trainer::new(o)?;
    let tested = train(&mut trainer, o, "Fashion-MNIST")?;
    println!("test accuracy: {:.2} %", 100.0 * tested.accuracy());
    Ok(())
}

fn main() {
    let o = options_or_exit();
    if let Err(error) = run(&o) {
        eprintln!("{}", error);
        std::process::exit(1);
    }
}
