use super::*;
use crate::wait::eventually;

fn shell(folder: &Path, script: &str) -> Process {
    Process::start(&Program {
        name: "script".into(),
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("GREETING".into(), "hello".into())],
        log: folder.join("script.log"),
    })
    .unwrap()
}

/// Whether a process is there. Signal 0 tells without doing anything.
fn alive(pid: &str) -> bool {
    Command::new("/bin/sh").args(["-c", "kill -0 $1 2>/dev/null", "sh", pid]).status().unwrap().success()
}

async fn written(path: PathBuf) -> String {
    eventually("the script to write its line", || async {
        std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n')).ok_or("nothing yet")
    })
    .await
    .trim()
    .to_owned()
}

#[tokio::test]
async fn output_environment_and_exit_status_come_through() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell(folder.path(), "echo $GREETING; echo sorry >&2; exit 3");
    let status = eventually("the script to end", || {
        let ended = process.ended().unwrap();
        async move { ended.ok_or("still running") }
    })
    .await;
    assert_eq!(status.code(), Some(3));
    assert_eq!(process.log_tail(), "hello\nsorry\n");
}

#[tokio::test]
async fn signals_reach_the_program_and_not_only_its_shell() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell(folder.path(), "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    assert_eq!(written(folder.path().join("script.log")).await, "ready");
    assert_eq!(process.terminate(Duration::from_secs(20)).await.unwrap().code(), Some(7));
}

#[tokio::test]
async fn kill_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell(folder.path(), "trap '' TERM; echo $$; while :; do sleep 0.05; done");
    let pid = written(folder.path().join("script.log")).await;
    assert!(alive(&pid));
    assert_eq!(process.kill().unwrap().code(), Some(128 + 9));
    assert!(!alive(&pid));
}

/// The parent here is a shell that holds the only writing end of the pipe, as this crate does, and is killed.
#[tokio::test]
async fn the_program_dies_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let mut parent = Command::new("/bin/sh")
        .arg("-c")
        .arg(r#"mkfifo "$3"; /bin/sh -c "$1" supervisor /bin/sh -c "$2" < "$3" & exec 4> "$3"; while :; do sleep 0.05; done"#)
        .args(["parent", SUPERVISOR])
        .arg(format!("echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 0.05; done", pid_file.display()))
        .arg(folder.path().join("pipe"))
        .spawn()
        .unwrap();
    let pid = written(pid_file).await;
    assert!(alive(&pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the program to be killed", || async { if alive(&pid) { Err("it runs on") } else { Ok(()) } })
        .await;
}

#[tokio::test]
async fn the_janitor_removes_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir_all(inner.join("deep")).unwrap();
    let janitor = Janitor::start(&inner).unwrap();
    assert!(inner.exists());
    drop(janitor);
    eventually("the folder to go", || async { if inner.exists() { Err("still there") } else { Ok(()) } })
        .await;
}
