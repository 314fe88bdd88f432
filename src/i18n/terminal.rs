//! Texts of the terminal pane.

use super::texts;

texts! {
    CLEAR: "Clear", "지우기";
    COPY_OUTPUT: "Copy the last output", "마지막 출력 복사";
    COMMAND: "Command line", "명령줄";
    COMPLETIONS: "Completions", "자동 완성";
    CONTEXT: "context", "context";
    HISTORY: "History", "기록";
    HISTORY_EMPTY: "No line has been entered yet.", "아직 입력한 명령이 없습니다.";
    HINT: "kubectl … Tab completes, ↑ recalls", "kubectl … Tab 자동 완성, ↑ 이전 명령";
    INPUT: "Input for the running command", "실행 중인 명령의 입력";
    KEYS: "Keys", "키";
    NS: "ns", "ns";
    OUTPUT: "Terminal output", "터미널 출력";
    PAST: "The past is read-only. Return to now to type.", "과거는 읽기 전용입니다. 현재로 돌아가서 입력하세요.";
    PLAY: "Play", "재생";
    RUNNING: "running", "실행 중";
    SEARCH: "Search the history", "기록 검색";
    STOP: "Stop", "중지";
    TABS: "Terminal", "터미널";
    WAITS_FOR_INPUT: "waits for input, Ctrl D ends it", "입력을 기다리는 중, Ctrl D로 끝냄";
    WAITS_FOR_TIME: "waits for time, which is paused", "시간이 흐르기를 기다리는 중 (시간 멈춤)";
    ACCEPT: "accept", "선택";
    MOVE: "move", "이동";
}
