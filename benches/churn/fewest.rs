//! What no controller can beat that keeps to one call at a time for each group: each call begun as soon as the last one of its group has
//! ended and something waits, with everything in it that waits, joining and leaving in turns.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::roll::{Event, Roll};

const MEMBERS_PER_CALL: usize = 500;

pub(crate) struct Fewest {
    /// From the event of each new pod to its call.
    pub(crate) delays: Vec<Duration>,
    pub(crate) attaches: usize,
    pub(crate) detaches: usize,
}

pub(crate) fn with_one_call_at_a_time(roll: &Roll, operation: Duration) -> Fewest {
    let mut fewest = Fewest { delays: Vec::new(), attaches: 0, detaches: 0 };
    for events in roll.events.values() {
        of_one_group(events, operation, &mut fewest);
    }
    fewest
}

fn of_one_group(events: &[(Instant, Event)], operation: Duration, fewest: &mut Fewest) {
    let mut events: VecDeque<(Instant, Event)> = events.iter().copied().collect();
    let (mut joining, mut leaving) = (Vec::new(), 0_usize);
    let mut free = None;
    let mut last = Event::Leaves;
    loop {
        let waits = !joining.is_empty() || leaving > 0;
        // The next call is when the group is free and something waits.
        let now = match (waits, free, events.front()) {
            (true, Some(free), _) => free,
            (false, free, Some((at, _))) => free.map_or(*at, |free: Instant| free.max(*at)),
            (true, None, _) | (false, _, None) => return,
        };
        while let Some((at, event)) = events.pop_front_if(|(at, _)| *at <= now) {
            match event {
                Event::Joins => joining.push(at),
                Event::Leaves => leaving += 1,
            }
        }
        last = match last {
            Event::Joins if leaving > 0 => Event::Leaves,
            _ if joining.is_empty() => Event::Leaves,
            _ => Event::Joins,
        };
        match last {
            Event::Joins => {
                fewest.attaches += 1;
                let call = joining.drain(..joining.len().min(MEMBERS_PER_CALL));
                fewest.delays.extend(call.map(|came| now - came));
            }
            Event::Leaves => {
                fewest.detaches += 1;
                leaving = leaving.saturating_sub(MEMBERS_PER_CALL);
            }
        }
        free = Some(now + operation);
    }
}
