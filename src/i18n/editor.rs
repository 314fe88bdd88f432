//! Texts of the editor pane.

use super::texts;

texts! {
    ADD_FILE: "New file", "새 파일";
    APPLIED: "{count} objects applied", "객체 {count}개 적용됨";
    APPLY: "Apply", "적용";
    APPLYING: "Applying {name}…", "{name} 적용 중…";
    CHANGE_TO: "Change to {name}", "바꾸기: {name}";
    CHECKING: "Checking", "확인 중";
    CLOSE_FILE: "Close file", "파일 닫기";
    DRY_RUN: "Dry run", "Dry run";
    DRY_RUN_OK: "Dry run: nothing is kept", "Dry run: 저장되지 않음";
    EXAMPLES: "Examples", "예제";
    FIELD: "Field at the caret", "커서 위치의 필드";
    FIELD_NONE: "Put the caret on a field to see what it is for.", "필드에 커서를 두면 설명이 나옵니다.";
    FIELD_UNKNOWN: "Kubernetes knows no such field here.", "여기에 이런 필드는 없습니다.";
    FILE_MENU: "File: {name}", "파일: {name}";
    FILES: "Files", "파일";
    GO_TO_LINE: "Go to line {line}", "{line}번째 줄로";
    LABEL: "Manifest {name}", "Manifest {name}";
    NAME_TAKEN: "There is a file of that name", "같은 이름의 파일이 있음";
    NOT_APPLIED: "Not applied: {name}", "적용되지 않음: {name}";
    NOT_SIMULATED: "{field} is kept, but not simulated.", "{field}: 저장되지만 시뮬레이션되지 않습니다.";
    NOTHING: "Nothing to apply", "적용할 것 없음";
    ONE_PROBLEM: "1 problem", "문제 1개";
    PAST: "The past is read-only", "과거는 읽기 전용";
    PAUSED: "Time is paused.", "시간이 멈춰 있습니다.";
    PLAY: "Play", "재생";
    PROBLEMS: "{count} problems", "문제 {count}개";
    PROBLEMS_HINT: "Go to the next problem (F8)", "다음 문제로 (F8)";
    RENAME: "Rename", "이름 바꾸기";
    RENAME_LABEL: "Name of the file", "파일 이름";
    SAVE: "Save", "저장";
    TWICE: "{key} stands here a second time: only the last one counts", "{key}: 두 번 적혀 있습니다. 마지막 값만 쓰입니다";
    UNDO: "Undo", "실행 취소";
    VALID: "Valid", "올바름";
    EMPTY: "Empty", "비어 있음";
    WARNINGS: "{count} notes", "참고 {count}개";
    ONE_WARNING: "1 note", "참고 1개";
}
