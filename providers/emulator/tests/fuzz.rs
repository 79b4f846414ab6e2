//! A short run of every fuzz target: the seeds, and seeded mutations of them. `make fuzz` runs them for longer, and with
//! an eye on which code they reach.

#![allow(clippy::unwrap_used, clippy::panic)]

use emulator::fuzzing::TARGETS;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Long enough to find what is easily found.
const SPAN: Duration = Duration::from_secs(2);

#[test]
fn every_target_has_seeds_and_no_mutation_of_them_panics() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, target) in TARGETS {
        assert!(folder.join(format!("targets/{name}.rs")).exists(), "{name} has no target for libFuzzer");
        let mut files: Vec<_> = std::fs::read_dir(folder.join("seeds").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in &seeds {
            target(seed);
        }
        let mut random = StdRng::seed_from_u64(7);
        let began = Instant::now();
        let mut count = 0_u32;
        while began.elapsed() < SPAN {
            let mut input = seeds.choose(&mut random).unwrap().clone();
            for _ in 0..random.random_range(1..8) {
                mutate(&mut input, &seeds, &mut random);
            }
            let result = std::panic::catch_unwind(|| target(&input));
            assert!(result.is_ok(), "{name} panics on {:?}", String::from_utf8_lossy(&input));
            count += 1;
        }
        println!("{name}: {count} inputs");
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut StdRng) {
    const PIECES: &[&[u8]] = &[
        b"\"",
        b"\\",
        b"(",
        b")",
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"-1",
        b"99999999999999999999",
        b"0.5",
        b"\xff",
        "ä".as_bytes(),
        b"/",
        b"*",
        b"**",
        b"\r\n",
        b"\n",
        b"true",
        b"",
        b"projects/9/",
        b"%",
        b":",
        b"=",
        b" eq ",
    ];
    let at = random.random_range(0..=input.len());
    match random.random_range(0..5) {
        0 if at < input.len() => input[at] = random.random(),
        1 if at < input.len() => {
            let end = random.random_range(at..=input.len().min(at + 16));
            input.drain(at..end);
        }
        2 => {
            let piece = PIECES.choose(random).unwrap();
            input.splice(at..at, piece.iter().copied());
        }
        3 => {
            let other = seeds.choose(random).unwrap();
            let from = random.random_range(0..=other.len());
            let to = random.random_range(from..=other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        _ => input.truncate(at.max(1)),
    }
}
