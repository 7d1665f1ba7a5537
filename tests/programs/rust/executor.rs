// Async without a runtime: a small executor, a timer wheel of its own, join, select and a channel.
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

struct Flag(AtomicBool);
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct PollFn<F>(F);
impl<T, F: FnMut(&mut Context<'_>) -> Poll<T> + Unpin> Future for PollFn<F> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        (self.0)(context)
    }
}

fn poll_fn<T, F: FnMut(&mut Context<'_>) -> Poll<T> + Unpin>(poll: F) -> PollFn<F> {
    PollFn(poll)
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Clock {
    now: Cell<u64>,
    sleepers: RefCell<Vec<(u64, Waker)>>,
}

struct Sleep {
    clock: Rc<Clock>,
    until: u64,
}

impl Future for Sleep {
    type Output = u64;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        if self.clock.now.get() >= self.until {
            return Poll::Ready(self.until);
        }
        self.clock.sleepers.borrow_mut().push((self.until, context.waker().clone()));
        Poll::Pending
    }
}

impl Clock {
    fn sleep(self: &Rc<Self>, ticks: u64) -> Sleep {
        Sleep { clock: Rc::clone(self), until: self.now.get() + ticks }
    }

    fn run(self: &Rc<Self>, tasks: Vec<Task>) -> (usize, u64) {
        let mut polls = 0;
        let mut tasks: Vec<(Task, Arc<Flag>)> =
            tasks.into_iter().map(|task| (task, Arc::new(Flag(AtomicBool::new(true))))).collect();
        while !tasks.is_empty() {
            let mut moved = false;
            tasks.retain_mut(|(task, flag)| {
                if !flag.0.swap(false, Ordering::SeqCst) {
                    return true;
                }
                (moved, polls) = (true, polls + 1);
                let waker = Waker::from(Arc::clone(flag));
                task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if !moved {
                self.advance();
            }
        }
        (polls, self.now.get())
    }

    // Time jumps to the next sleeper: nothing really waits.
    fn advance(&self) {
        let mut sleepers = self.sleepers.borrow_mut();
        let next = sleepers.iter().map(|(until, _)| *until).min().expect("deadlock");
        self.now.set(next);
        sleepers.retain(|(until, waker)| {
            let due = *until <= next;
            if due {
                waker.wake_by_ref();
            }
            !due
        });
    }
}

#[derive(Clone, Default)]
struct Channel<T>(Rc<RefCell<(VecDeque<T>, Option<Waker>, bool)>>);

impl<T> Channel<T> {
    fn send(&self, item: Option<T>) {
        let mut inner = self.0.borrow_mut();
        match item {
            Some(item) => inner.0.push_back(item),
            None => inner.2 = true,
        }
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }

    async fn receive(&self) -> Option<T> {
        poll_fn(|context| {
            let mut inner = self.0.borrow_mut();
            match inner.0.pop_front() {
                Some(item) => Poll::Ready(Some(item)),
                None if inner.2 => Poll::Ready(None),
                None => {
                    inner.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

fn main() {
    let clock = Rc::new(Clock::default());
    let log = Rc::new(RefCell::new(Vec::new()));
    let channel = Channel::default();
    let producer = {
        let (clock, channel) = (Rc::clone(&clock), channel.clone());
        async move {
            for n in 1..=4u64 {
                clock.sleep(n * 10).await;
                channel.send(Some(n * n));
            }
            channel.send(None);
        }
    };
    let consumer = {
        let (clock, log) = (Rc::clone(&clock), Rc::clone(&log));
        async move {
            while let Some(n) = channel.receive().await {
                log.borrow_mut().push(format!("{n} at {}", clock.now.get()));
            }
            log.borrow_mut().push("closed".to_string());
        }
    };
    let race = {
        let (clock, log) = (Rc::clone(&clock), Rc::clone(&log));
        async move {
            let (mut slow, mut fast) = (clock.sleep(1000), clock.sleep(25));
            let winner = poll_fn(|context| match Pin::new(&mut slow).poll(context) {
                Poll::Ready(_) => Poll::Ready("slow"),
                Poll::Pending => Pin::new(&mut fast).poll(context).map(|_| "fast"),
            });
            let line = format!("{} won at {}", winner.await, clock.now.get());
            log.borrow_mut().push(line);
        }
    };
    let (polls, end) = clock.run(vec![Box::pin(consumer), Box::pin(producer), Box::pin(race)]);
    println!("{:#?}\n{polls} polls, ended at {end}", log.borrow());
}
