// The editor: CodeMirror 6.
