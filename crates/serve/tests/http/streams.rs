//! Logs, exec and attach over HTTP.

use crate::client::Lab;
use serde_json::{Value, json};
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";

/// A pod whose container runs a script, once it runs.
fn run(lab: &Lab, name: &str, script: &str) {
    let pod = json!({"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "c", "image": "busybox", "command": ["sh", "-c", script]}]}});
    assert_eq!(lab.post(PODS, &pod).code, 201);
    for _ in 0..500 {
        let phase = lab.get(&format!("{PODS}/{name}")).json()["status"]["phase"].clone();
        if phase != "Pending" {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{name} does not start");
}

#[test]
fn a_log_is_read_and_followed() {
    let lab = Lab::start();
    run(&lab, "talker", "echo one; sleep 20; echo two");
    let followed = lab.get(&format!("{PODS}/talker/log?follow=true"));
    assert_eq!((followed.code, followed.text().as_str()), (200, "one\ntwo\n"));
    assert_eq!(followed.header("content-type"), Some("text/plain"));
    assert_eq!(lab.get(&format!("{PODS}/talker/log?tailLines=1")).text(), "two\n");
    assert_eq!(lab.get(&format!("{PODS}/nobody/log")).json()["reason"], "NotFound");
}

#[test]
fn a_command_runs_over_a_websocket() {
    let lab = Lab::start();
    run(&lab, "box", "sleep 100000");
    let path = format!(
        "{PODS}/box/exec?command=sh&command=-c&command=cat;exit%203&stdin=true&stdout=true&stderr=true"
    );
    let mut socket = lab.websocket(&path, "v5.channel.k8s.io").unwrap();
    socket.send(&[0, b'h', b'i']);
    socket.send(&[255, 0]);
    let mut out = Vec::new();
    let status: Value = loop {
        let message = socket.message();
        match message.split_first().unwrap() {
            (1, bytes) => out.extend_from_slice(bytes),
            (3, bytes) => break serde_json::from_slice(bytes).unwrap(),
            _ => {}
        }
    };
    assert_eq!(out, b"hi");
    assert_eq!(status["details"]["causes"], json!([{"reason": "ExitCode", "message": "3"}]));
}

#[test]
fn what_cannot_be_upgraded_is_refused_in_words() {
    let lab = Lab::start();
    run(&lab, "box", "sleep 100000");
    let path = format!("{PODS}/box/exec?command=ls&stdout=true");
    let spdy = lab.send("POST", &path, &[("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")], b"");
    assert_eq!(spdy.code, 400);
    assert!(spdy.json()["message"].as_str().unwrap().contains("does not speak SPDY"));
    assert_eq!(lab.websocket(&path, "v9.channel.k8s.io").err().map(|answer| answer.code), Some(400));
    let nobody = format!("{PODS}/nobody/exec?command=ls&stdout=true");
    assert_eq!(lab.websocket(&nobody, "v5.channel.k8s.io").err().map(|answer| answer.code), Some(404));
}
