// Threads: scopes, channels, a mutex, a read-write lock, atomics, a condition variable, a panic.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

fn count_primes(from: u32, to: u32) -> usize {
    (from.max(2)..to).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0)).count()
}

fn main() {
    let counts: Vec<usize> = thread::scope(|scope| {
        let handles: Vec<_> = (0..4u32).map(|i| scope.spawn(move || count_primes(i * 500, (i + 1) * 500))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    println!("primes {counts:?} = {}", counts.iter().sum::<usize>());

    let (sender, receiver) = channel();
    let workers: Vec<_> = "the quick brown fox jumps over the lazy dog the end"
        .split(' ')
        .collect::<Vec<_>>()
        .chunks(4)
        .map(|chunk| {
            let (sender, words) = (sender.clone(), chunk.iter().map(|w| w.to_string()).collect::<Vec<_>>());
            thread::spawn(move || words.into_iter().for_each(|word| sender.send(word).unwrap()))
        })
        .collect();
    drop(sender);
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for word in receiver {
        *count.entry(word).or_default() += 1;
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    println!("{count:?}");

    let (total, hits) = (Arc::new(Mutex::new(0u64)), AtomicUsize::new(0));
    thread::scope(|scope| {
        for n in 1..=8u64 {
            let total = Arc::clone(&total);
            let hits = &hits;
            scope.spawn(move || {
                for i in 0..100 {
                    *total.lock().unwrap() += n * i;
                    hits.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("total {} after {} hits, owners {}", total.lock().unwrap(), hits.load(Ordering::SeqCst), Arc::strong_count(&total));

    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waiter = {
        let gate = Arc::clone(&gate);
        thread::Builder::new().name("waiter".into()).spawn(move || {
            let (open, changed) = &*gate;
            let guard = changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap();
            format!("{:?} saw {}", thread::current().name(), *guard)
        })
    };
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    println!("{}", waiter.unwrap().join().unwrap());

    let table = RwLock::new(vec![1, 2, 3]);
    let barrier = Barrier::new(3);
    let leaders = thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|i| {
            let (table, barrier) = (&table, &barrier);
            scope.spawn(move || {
                table.write().unwrap()[i] *= 10;
                let leader = barrier.wait().is_leader();
                (leader, table.read().unwrap().iter().sum::<usize>())
            })
        }).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    println!("{} leader, sums {:?}", leaders.iter().filter(|(leader, _)| *leader).count(), leaders.iter().map(|(_, s)| s).collect::<Vec<_>>());

    let (sender, receiver) = sync_channel::<u8>(1);
    println!("{:?} {:?}", receiver.recv_timeout(Duration::from_millis(1)), sender.try_send(1).and_then(|()| sender.try_send(2)).map_err(|e| e.to_string()));
    std::panic::set_hook(Box::new(|_| {}));
    let poisoned = Arc::new(Mutex::new(5));
    let inner = Arc::clone(&poisoned);
    let failed = thread::spawn(move || {
        let guard = inner.lock().unwrap();
        panic!("worker number {}", *guard + 2);
    })
    .join();
    println!("{:?} poisoned {}", failed.unwrap_err().downcast_ref::<String>(), poisoned.lock().is_err());
}
