//! Who had the processors: `/proc/stat` says how long they were busy, each process's account how
//! long with itself; the rest were others. Where there is no such file (not Linux) nothing is
//! known, and said so.
//!
//! Interrupts are left out: whether the kernel books them on the process that they interrupt is a
//! matter of its build, and the yardsticks' own traffic makes most of them. User and system time
//! are compared apart for the same reason: so other programs' work is seen even where own
//! interrupts stand in the processes' system time.

use std::fs;
use std::time::Instant;

/// `USER_HZ`, which Linux has fixed for every architecture that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// In programs.
    pub user: f64,
    /// In the kernel, for them.
    pub system: f64,
    /// Of this machine, by others on the same host.
    pub stolen: f64,
}

impl Spent {
    fn since(self, before: Spent) -> Spent {
        Spent {
            user: self.user - before.user,
            system: self.system - before.system,
            stolen: self.stolen - before.stolen,
        }
    }

    fn and(self, other: Spent) -> Spent {
        Spent {
            user: self.user + other.user,
            system: self.system + other.system,
            stolen: self.stolen + other.stolen,
        }
    }

    /// What of this, the whole machine's, was not `own`.
    fn less(self, own: Spent) -> f64 {
        // Accounts are kept in hundredths of a second: a little less than nothing is nothing.
        (self.user - own.user).max(0.0) + (self.system - own.system).max(0.0) + self.stolen.max(0.0)
    }
}

/// The cores that matter to a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cores {
    /// All of the machine.
    All,
    /// These, for processes that are kept on them.
    These(Vec<usize>),
}

/// What the cores have been busy with so far, and how many they are, of the text of `/proc/stat`.
pub fn machine_spent(stat: &str, cores: &Cores) -> Option<(Spent, usize)> {
    let (mut sum, mut count) = (Spent::default(), 0);
    for line in stat.lines() {
        let mut fields = line.split_whitespace();
        let number = fields.next().and_then(|name| name.strip_prefix("cpu"));
        // The first line is of all cores together.
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
            continue;
        };
        if matches!(cores, Cores::These(these) if !these.contains(&number)) {
            continue;
        }
        // user nice system idle iowait irq softirq steal; what guests take is in user.
        let ticks: Vec<f64> = fields.map_while(|field| field.parse().ok()).collect();
        let [user, nice, system, ..] = ticks[..] else {
            return None;
        };
        let stolen = ticks.get(7).copied().unwrap_or(0.0);
        sum = sum.and(Spent {
            user: (user + nice) / TICKS_PER_SECOND,
            system: system / TICKS_PER_SECOND,
            stolen: stolen / TICKS_PER_SECOND,
        });
        count += 1;
    }
    (count > 0).then_some((sum, count))
}

/// What a process has taken so far, with the children that it has waited for, of the text of
/// `/proc/<pid>/stat`.
pub fn process_spent(stat: &str) -> Option<Spent> {
    // Behind the name, which may hold anything: utime and stime are the 14th and 15th, their
    // children's follow.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields = fields.split_whitespace().skip(11).take(4);
    let ticks: Vec<f64> = fields.map_while(|field| field.parse().ok()).collect();
    let [user, system, children_user, children_system] = ticks[..] else {
        return None;
    };
    Some(Spent {
        user: (user + children_user) / TICKS_PER_SECOND,
        system: (system + children_system) / TICKS_PER_SECOND,
        stolen: 0.0,
    })
}

/// A measurement that is under way.
#[derive(Debug)]
pub struct Watch {
    cores: Cores,
    /// Processes that count as own, beside this one and the children that it waits for.
    processes: Vec<u32>,
    start: Instant,
    /// Nothing where the system does not say.
    before: Option<(Spent, Spent)>,
}

impl Watch {
    /// From now on. `processes` must be there until [`Watch::others`] is asked.
    pub fn start(cores: Cores, processes: Vec<u32>) -> Watch {
        let before = read(&cores, &processes);
        Watch {
            cores,
            processes,
            start: Instant::now(),
            before: before.map(|(machine, own, _)| (machine, own)),
        }
    }

    /// The share of the cores' time that others have had since: 0 for none, 1 for all of it.
    pub fn others(&self) -> Option<f64> {
        let (machine_before, own_before) = self.before?;
        let (machine, own, count) = read(&self.cores, &self.processes)?;
        let time = self.start.elapsed().as_secs_f64() * count as f64;
        let others = machine.since(machine_before).less(own.since(own_before));
        (time > 0.0).then(|| (others / time).min(1.0))
    }
}

/// The machine's, the own, and how many cores.
fn read(cores: &Cores, processes: &[u32]) -> Option<(Spent, Spent, usize)> {
    let (machine, count) = machine_spent(&fs::read_to_string("/proc/stat").ok()?, cores)?;
    let mut own = process_spent(&fs::read_to_string("/proc/self/stat").ok()?)?;
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        own = own.and(process_spent(&stat)?);
    }
    Some((machine, own, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  300 40 120 9000 7 5 30 10 0 0\n\
                        cpu0 200 0 100 4000 7 5 20 10 0 0\n\
                        cpu1 100 40 20 5000 0 0 10 0 0 0\n\
                        intr 12345 0 1\n";

    #[test]
    fn cores_are_added_up_without_their_idle_time_and_interrupts() {
        let all = Spent {
            user: 3.4,
            system: 1.2,
            stolen: 0.1,
        };
        assert_eq!(machine_spent(STAT, &Cores::All), Some((all, 2)));
        let second = Spent {
            user: 1.4,
            system: 0.2,
            stolen: 0.0,
        };
        let these = Cores::These(vec![1]);
        assert_eq!(machine_spent(STAT, &these), Some((second, 1)));
        assert_eq!(machine_spent(STAT, &Cores::These(vec![9])), None);
        assert_eq!(machine_spent("cpu0 x\n", &Cores::All), None);
    }

    #[test]
    fn a_process_is_accounted_for_whatever_its_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 20 10 20 0 1 0 9";
        let spent = Spent {
            user: 1.7,
            system: 0.6,
            stolen: 0.0,
        };
        assert_eq!(process_spent(stat), Some(spent));
        assert_eq!(process_spent("42 (a) S 1"), None);
    }

    #[test]
    fn others_are_what_is_left_of_the_machine() {
        let spent = |user, system, stolen| Spent {
            user,
            system,
            stolen,
        };
        let machine = spent(5.0, 2.0, 0.5);
        assert_eq!(machine.less(spent(4.0, 1.5, 0.0)), 2.0);
        // Own interrupts may stand in the own system time; what others compute is seen all the
        // same.
        assert_eq!(machine.less(spent(4.0, 3.0, 0.0)), 1.5);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_this_process_does_is_not_done_by_others() {
        let watch = Watch::start(Cores::All, Vec::new());
        let mut sum = 0u64;
        while watch.start.elapsed().as_millis() < 300 {
            sum = std::hint::black_box(sum + 1);
        }
        let others = watch.others().expect("Linux says");
        assert!((0.0..=1.0).contains(&others), "{others}");
    }
}
