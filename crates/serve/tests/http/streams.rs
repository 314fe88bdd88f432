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
fn a_log_and_a_watch_come_over_a_websocket_as_messages() {
    let lab = Lab::start();
    run(&lab, "talker", "echo one; sleep 20; echo two");
    let path = format!("{PODS}/talker/log?follow=true");
    let mut log = lab.websocket(&path, "binary.k8s.io").unwrap();
    assert_eq!(log.message(), b"");
    let mut lines = log.message();
    while lines.len() < 8 {
        lines.extend(log.message());
    }
    assert_eq!(lines, b"one\ntwo\n");
    assert_eq!(lab.websocket(&path, "v5.channel.k8s.io").err().map(|answer| answer.code), Some(403));

    // A page says who it is by a subprotocol, which is no one to be spoken.
    let path = format!("{PODS}?watch=1&fieldSelector=metadata.name%3Dtalker");
    let mut watch =
        lab.websocket(&path, "base64url.bearer.authorization.k8s.io.YQ, base64.binary.k8s.io").unwrap();
    let line = watch.message();
    assert_eq!(line.last(), Some(&b'\n'));
    let event: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("talker")));
    let gone = lab.send("DELETE", &format!("{PODS}/talker?gracePeriodSeconds=0"), &[], b"");
    assert_eq!(gone.code, 200);
    loop {
        let event: Value = serde_json::from_slice(&watch.message()).unwrap();
        if event["type"] == "DELETED" {
            break;
        }
    }
    let nowhere = lab.websocket_from(&path, "base64.binary.k8s.io", &[]).err().map(|answer| answer.code);
    assert_eq!(nowhere, Some(403));
    let unread = lab.websocket(&format!("{path}&labelSelector=%21%21"), "base64.binary.k8s.io");
    assert_eq!(unread.err().map(|answer| answer.code), Some(400));
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

/// A pod that serves HTTP on port 80, once it runs.
fn serve(lab: &Lab) {
    let pod = json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"containers": [
        {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]}});
    assert_eq!(lab.post(PODS, &pod).code, 201);
    let service =
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    assert_eq!(lab.post("/api/v1/namespaces/default/services", &service).code, 201);
    for _ in 0..500 {
        if lab.get("/api/v1/namespaces/default/services/web/proxy/").code == 200 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the server does not start");
}

#[test]
fn a_port_is_forwarded_in_a_pair_of_channels() {
    let lab = Lab::start();
    serve(&lab);
    let mut socket = lab.websocket(&format!("{PODS}/web/portforward?ports=80"), "v4.channel.k8s.io").unwrap();
    assert_eq!((socket.message(), socket.message()), (vec![0, 80, 0], vec![1, 80, 0]));
    socket.send(b"\0GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = socket.message();
    assert!(answer.starts_with(b"\0HTTP/1.1 200 OK\r\n"));
    let mut closed = lab.websocket(&format!("{PODS}/web/portforward?ports=81"), "v4.channel.k8s.io").unwrap();
    assert_eq!((closed.message().len(), closed.message().len()), (3, 3));
    closed.send(b"\0GET / HTTP/1.1\r\n\r\n");
    let refused = String::from_utf8(closed.message()).unwrap();
    assert!(refused.starts_with('\u{1}') && refused.contains("connection refused"), "{refused}");
}

#[test]
fn requests_are_passed_on_to_pods_and_services() {
    let lab = Lab::start();
    serve(&lab);
    let page = lab.get(&format!("{PODS}/web/proxy/"));
    assert!(page.code == 200 && page.text().contains("Welcome to nginx!"));
    assert_eq!(page.header("content-type"), Some("text/html"));
    assert_eq!(lab.get("/api/v1/namespaces/default/services/web:80/proxy/nothing").code, 404);
    assert_eq!(lab.get("/api/v1/namespaces/default/services/web:81/proxy/").code, 503);
    assert_eq!(lab.get(&format!("{PODS}/web:81/proxy/")).code, 503);
}
