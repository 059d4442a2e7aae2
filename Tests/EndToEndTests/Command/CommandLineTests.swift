import Foundation
import Testing

@Suite("The command line")
struct CommandLineTests {
    private static let cluster = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: db}}
          ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]
        """

    private func folder(_ files: [String: String]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "commands-\(UUID().uuidString)").path()
        for (name, text) in files {
            let file = URL(filePath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }
        return path
    }

    @Test("netpold version says what --version does")
    func version() throws {
        let run = try BuiltNetpold.run(["version"])
        #expect(run.code == 0)
        #expect(try run.output == BuiltNetpold.run(["--version"]).output)
    }

    @Test(
        "netpold completion prints a script that its shell takes, with every command in it",
        arguments: [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
    func completion(_ shell: String, _ check: [String]) throws {
        let run = try BuiltNetpold.run(["completion", shell])
        #expect(run.code == 0)
        for command in ["compile", "explain", "lint", "agent", "completion"] { #expect(run.output.contains(command)) }
        let place = try folder(["script": run.output])
        defer { try? FileManager.default.removeItem(atPath: place) }
        // Shells that are not installed take nothing.
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)") else { return }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = check + ["\(place)/script"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try BuiltNetpold.run(["completion", "tcsh"]).code == 2)
    }

    @Test("shells offer files where paths are wanted, and ids where ids are")
    func completedWords() throws {
        let place = try folder(["in/good.yaml": Self.cluster])
        defer { try? FileManager.default.removeItem(atPath: place) }
        func offered(_ words: [String]) throws -> String {
            let list = words.map { "'\($0)'" }.joined(separator: " ")
            return try BuiltNetpold.shell(
                "source <(netpold completion bash); COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); "
                    + "COMP_LINE='\(words.joined(separator: " "))'; COMP_POINT=${#COMP_LINE}; "
                    + "_netpold netpold \"${COMP_WORDS[-1]}\" \"${COMP_WORDS[-2]}\"; printf '%s\\n' \"${COMPREPLY[@]}\"",
                in: place
            ).output
        }
        for words in [
            ["lint", "in/"], ["compile", "-f", "in/"], ["explain", "-f", "in/"], ["test", "--junit", "in/"],
            ["proxy", "-f", "in/"], ["lint", "--file", "in/"],
        ] {
            #expect(try offered(["netpold"] + words).contains("in/good.yaml"), "\(words)")
        }
        #expect(try offered(["netpold", "lint", "--explain", "empty-el"]).contains("empty-element"))
        for command in ["lint", "explain", "compile", "test", "status", "wait"] {
            #expect(try offered(["netpold", command, "-o", "js"]) == "json\n", "\(command)")
        }
        #expect(try offered(["netpold", "policies", "-o", "wi"]) == "wide\n")
        // A command that runs one of its subcommands by itself has the options of that.
        #expect(try offered(["netpold", "lab", "--ke"]).contains("--keep"))
        #expect(try offered(["netpold", "lab", "in", "--ke"]).contains("--keep"))
        #expect(try offered(["netpold", "agent", "--manif"]).contains("--manifests"))
        #expect(try offered(["netpold", "lab", "pro"]) == "probe\n")
        #expect(try offered(["netpold", "lab", "probe", "--ke"]) == "\n")
        if FileManager.default.isExecutableFile(atPath: "/usr/bin/fish") {
            for (line, word) in [
                ("netpold lint in/go", "in/good.yaml"), ("netpold lab --ke", "--keep"),
                ("netpold agent --manif", "--manifests"),
            ] {
                let run = try BuiltNetpold.shell(
                    "fish -c \"netpold completion fish | source; complete -C '\(line)'\"", in: place)
                #expect(run.output.contains(word), "\(run)")
            }
        }
        for (shell, word) in [("zsh", "_files"), ("fish", "-F")] {
            #expect(try BuiltNetpold.run(["completion", shell]).output.contains(word), "\(shell)")
        }
    }

    @Test("usage fits a terminal, help behind a command is its help, and a command's own mistakes show its usage")
    func usage() throws {
        for command in [
            "lint", "compile", "test", "explain", "status", "wait", "endpoints", "monitor", "agent", "lab", "proxy",
        ] {
            let help = try BuiltNetpold.run(["help", command]).output
            let line = help.split(separator: "\n").first { $0.hasPrefix("USAGE:") } ?? ""
            #expect(!line.isEmpty && line.count <= 88, "\(line)")
            #expect(try BuiltNetpold.run([command, "help"]).output == help)
        }
        let none = try BuiltNetpold.run(["agent"], environment: ["KUBECONFIG": ""])
        #expect(none.code == 2 && none.errors.contains("Usage: netpold agent ["), "\(none)")
    }

    @Test("explain --expect is an answer of yes or no")
    func expect() throws {
        let flow = ["shop/web", "shop/db"]
        for (port, verdict) in [("5432/TCP", "allow"), ("80/TCP", "deny")] {
            for expected in ["allow", "deny"] {
                let run = try BuiltNetpold.run(
                    ["explain", "-f", "-", "--expect", expected] + flow + [port], input: Self.cluster)
                #expect(run.code == (expected == verdict ? 0 : 1))
                #expect(run.output.hasPrefix(verdict == "allow" ? "ALLOWED" : "DENIED"))
                #expect(run.errors.contains("expected \(expected), the answer is \(verdict)") == (expected != verdict))
            }
        }
        #expect(try BuiltNetpold.run(["explain", "-f", "-", "--expect", "maybe"] + flow + ["1/TCP"]).code == 2)
    }

    @Test(
        "output that cannot be written is an error, whatever the command",
        arguments: [
            ["lint", "-", "-o", "sarif"], ["compile", "-"], ["lab", "--help"], ["compile", "-", "--json"],
            ["compile", "-", "-o", "yaml"],
            ["explain", "-f", "-", "shop/web", "shop/db", "80/TCP"],
            ["explain", "-f", "-", "shop/web", "world", "80/TCP", "-o", "yaml"], ["lint", "--explain", "syntax"],
            ["test", "TESTS"], ["test", "TESTS", "--json"], ["test", "TESTS", "-o", "yaml"], ["version"], ["--version"],
            ["--help"], ["lab", "run", "--help"], ["help", "explain"], ["completion", "bash"],
            ["bench-compile", "--help"],
        ])
    func fullDevice(_ arguments: [String]) throws {
        let place = try folder(["in": Self.cluster, "cluster.yaml": Self.cluster, "test.yaml": Self.test])
        defer { try? FileManager.default.removeItem(atPath: place) }
        let process = Process()
        process.executableURL = URL(filePath: BuiltNetpold.path)
        process.arguments = arguments.map { $0 == "TESTS" ? place : $0 }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: "\(place)/in"))
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        _ = FileManager.default.createFile(atPath: "\(place)/err", contents: nil)
        process.standardError = FileHandle(forWritingAtPath: "\(place)/err")
        try process.run()
        process.waitUntilExit()
        let errors = try String(contentsOfFile: "\(place)/err", encoding: .utf8)
        #expect(process.terminationStatus == 3, "\(errors)")
        if arguments.first == "lint", arguments.count > 2 { #expect(errors.contains("No space left"), "\(errors)") }
        // Once.
        #expect(errors.components(separatedBy: "error: standard output cannot be written: ").count == 2, "\(errors)")
    }

    @Test(
        "no input is an error of every command: in a pipe whose first command failed nothing is green",
        arguments: [
            ["lint", "-"], ["lint", "-f", "-", "--json"], ["compile", "-"], ["compile", "-", "-o", "yaml"],
            ["explain", "-f", "-", "a/b", "c/d", "80/TCP"], ["lab", "-f", "-"],
        ])
    func emptyInput(_ command: [String]) throws {
        for input in ["", "\n\n", "---\n# nothing\n---\n"] {
            let run = try BuiltNetpold.run(command, input: input)
            #expect(run.code == 2, "\(run)")
            #expect((run.output + run.errors).contains("standard input holds no object"), "\(run)")
            let place = try folder(["empty.yaml": input, "folder/empty.yaml": input, "folder/some.yaml": Self.cluster])
            defer { try? FileManager.default.removeItem(atPath: place) }
            let named = try BuiltNetpold.run(command.map { $0 == "-" ? "\(place)/empty.yaml" : $0 })
            #expect(named.code == 2, "\(named)")
            #expect((named.output + named.errors).contains("the file holds no object"), "\(named)")
            // A repository may have empty files.
            guard command.first == "lint" else { continue }
            #expect(try BuiltNetpold.run(command.map { $0 == "-" ? "\(place)/folder" : $0 }).code == 0)
        }
        // A cluster with nothing in it has been answered by somebody.
        let list = "apiVersion: v1\nkind: List\nitems: []\n"
        #expect(try BuiltNetpold.run(["lint", "-"], input: list).code == 0)
        let json = #"{"apiVersion": "v1", "kind": "List", "items": []}"#
        #expect(try BuiltNetpold.run(["lint", "-"], input: json).code == 0)
    }

    @Test("help of a command with subcommands shows the options of the one that it runs by itself, and the others")
    func groupHelp() throws {
        for (command, option) in [("agent", "--manifests"), ("lab", "--keep"), ("host", "--instance")] {
            let help = try BuiltNetpold.run([command, "--help"])
            #expect(help.code == 0 && help.output.contains("  \(option)") || help.output.contains(", \(option)"))
            #expect(help.output.contains("SUBCOMMANDS:"))
            #expect(try BuiltNetpold.run(["help", command]).output == help.output)
        }
        #expect(try BuiltNetpold.run(["agent", "reload", "--help"]).output.contains("--accept-empty"))
    }

    private static let test = """
        apiVersion: netpold.dev/v1alpha1
        kind: PolicyTest
        metadata: {name: t}
        spec:
          manifests: [cluster.yaml]
          cases:
          - {from: shop/web, to: shop/db, protocol: TCP, port: 5432, expect: allow}
        """

    @Test(
        "one grammar: manifests as words, with -f and -n, answers as -o json and yaml",
        arguments: [
            (["compile", "FILE", "-n", "live"], "live/web"),
            (["compile", "-f", "FILE", "-n", "live", "-o", "yaml"], "namespace: live"),
            (["explain", "FILE", "-n", "live", "web", "db", "5432/TCP"], "ALLOWED live/web -> live/db TCP 5432"),
            (["explain", "-f", "FILE", "-n", "live", "web", "db", "80/TCP", "-o", "yaml"], "verdict: deny"),
            (["explain", "FILE", "default/web", "default/db", "80/TCP", "-o", "json"], #""verdict" : "deny""#),
            (
                ["explain", "FILE", "default/web", "ip:192.0.2.0/24", "80/TCP"],
                "ONE ANSWER for all of default/web -> ip:192.0.2.0/24"
            ),
            (
                ["explain", "FILE", "--from-labels", "default/app=web", "default/db", "5432/TCP"],
                "ALLOWED default/app=web -> default/db"
            ),
            (
                ["explain", "FILE", "--from-labels", "default/app=x", "--to-labels", "default/app=db", "5432/TCP"],
                "DENIED"
            ),
            (["explain", "FILE", "--node", "node-1", "host", "default/db", "80/TCP"], "ALLOWED host"),
            (["test", "-f", "TESTS", "-n", "shop"], "1 passed, 0 failed"),
            (["test", "TESTS", "-n", "shop", "-o", "yaml"], "passed: 1"),
        ])
    func grammar(_ arguments: [String], _ wanted: String) throws {
        let bare = Self.cluster.replacing(", namespace: shop", with: "")
        let place = try folder(["all.yaml": bare, "t/cluster.yaml": bare, "t/test.yaml": Self.test])
        defer { try? FileManager.default.removeItem(atPath: place) }
        let words = arguments.map { $0 == "FILE" ? "\(place)/all.yaml" : $0 == "TESTS" ? "\(place)/t" : $0 }
        let run = try BuiltNetpold.run(words)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains(wanted), "\(run.output)")
    }

    @Test("what is allowed does not count, but for an error behind which a policy may be hidden")
    func allowed() throws {
        let pod = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: Bad_Name, namespace: shop}\n"
        let policy =
            "\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: Bad_Name, namespace: shop}\nspec: {podSelector: {}}\n"
        for command in [["lint", "-"], ["compile", "-"], ["explain", "-f", "-", "shop/web", "shop/db", "5432/TCP"]] {
            let allow = ["--allow", "invalid-value"]
            #expect(try BuiltNetpold.run(command, input: Self.cluster + pod).code == 2)
            #expect(try BuiltNetpold.run(command + allow, input: Self.cluster + pod).code == 0)
            #expect(try BuiltNetpold.run(command + allow, input: Self.cluster + policy).code == 2)
        }
        #expect(try BuiltNetpold.run(["compile", "-", "--allow", "sintax"]).errors.contains("did you mean syntax?"))
    }

    @Test("test --format writes the diagnostics of what cannot be run; -k and --node take the place of what tests say")
    func testDiagnostics() throws {
        let place = try folder([
            "cluster.yaml": Self.cluster.replacing("podSelector: {matchLabels: {app: db}}", with: "podSelecter: {}"),
            "test.yaml": Self.test,
        ])
        defer { try? FileManager.default.removeItem(atPath: place) }
        let run = try BuiltNetpold.run(["test", place, "--format", "json"])
        #expect(run.code == 2)
        #expect(run.errors.contains(#""id" : "unknown-field""#), "\(run.errors)")
        let sarif = try BuiltNetpold.run(["test", place, "--format", "sarif"])
        #expect(sarif.errors.contains("\"ruleId\" : \"unknown-field\""), "\(sarif.errors)")
        #expect(try BuiltNetpold.run(["test", place, "-k", "\(place)/nowhere"]).code == 2)
    }

    @Test("a reader that has enough ends the command without a word, also under a parent that ignores SIGPIPE")
    func endedReader() throws {
        let script = "trap '' PIPE; { sleep 0.3; '\(BuiltNetpold.path)' version; echo $? >&2; } | true"
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", script]
        let errors = Pipe()
        shell.standardError = errors
        try shell.run()
        let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(text == "141\n")
    }

    @Test("each case of a test is a case of JUnit; one about a pod that there is not is an error of the test")
    func junit() throws {
        let place = try folder([
            "cluster.yaml": Self.cluster,
            "test.yaml": """
            apiVersion: netpold.dev/v1alpha1
            kind: PolicyTest
            metadata: {name: t}
            spec:
              manifests: [cluster.yaml]
              cases:
              - {from: shop/web, to: shop/db, protocol: TCP, port: 5432, expect: allow}
              - {from: shop/web, to: shop/db, protocol: TCP, port: 80, expect: allow}
              - {from: shop/wbe, to: shop/db, protocol: TCP, port: 80, expect: deny}
              matrix:
              - {traffic: "UDP:53", denied: [shop/web>shop/db]}
            """,
        ])
        defer { try? FileManager.default.removeItem(atPath: place) }
        let run = try BuiltNetpold.run(["test", place, "--junit", "\(place)/junit.xml"])
        #expect(run.code == 2)
        #expect(run.output.contains("there is no pod shop/wbe; did you mean shop/web?"))
        let xml = try String(contentsOfFile: "\(place)/junit.xml", encoding: .utf8)
        #expect(xml.contains(#"<testsuites tests="4" failures="1" errors="1">"#), "\(xml)")
        #expect(xml.contains(#"tests="4" failures="1" errors="1">"#), "\(xml)")
        #expect(xml.contains(#"name="shop/web -&gt; shop/db TCP 5432"/>"#), "\(xml)")
        #expect(xml.components(separatedBy: "<failure ").count == 2)
        #expect(xml.components(separatedBy: "<error ").count == 2)
        #expect(xml.contains(#"name="matrix UDP 53"/>"#), "\(xml)")
    }

    @Test(
        "-k reads what kustomize makes, placed where it is written",
        .enabled(if: DeployTools.areInstalled, "needs scripts/install-deploy-tools.sh: not run"))
    func kustomize() throws {
        let place = try folder([
            "base/kustomization.yaml": "resources: [all.yaml]\n", "base/all.yaml": Self.cluster,
            "over/kustomization.yaml": """
            resources: [../base]
            namespace: live
            nameSuffix: -v2
            patches:
            - target: {kind: NetworkPolicy}
              patch: |
                - {op: replace, path: /spec/ingress/0/ports/0/port, value: 80}
            """,
            "broken/kustomization.yaml": "resources: [gone.yaml]\n",
        ])
        defer { try? FileManager.default.removeItem(atPath: place) }
        let tools = ["PATH": DeployTools.folder + ":/usr/bin:/bin"]
        let flow = ["live/web-v2", "live/db-v2", "80/TCP"]
        let run = try BuiltNetpold.run(["explain", "-k", "\(place)/over"] + flow, environment: tools)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.hasPrefix("ALLOWED live/web-v2 -> live/db-v2"))
        // The names that files have are taken too, as in tests.
        let written = ["explain", "-k", "\(place)/over", "live/web", "live/db", "80/TCP"]
        #expect(try BuiltNetpold.run(written, environment: tools).output == run.output)
        #expect(run.output.contains("/base/all.yaml:14:13)"), "\(run.output)")
        // Read one by one the files are left out, which no verdict passes over in silence.
        let plain = try BuiltNetpold.run(["compile", place, "--exclude", "broken"], environment: tools)
        #expect(plain.code == 1 && plain.errors.contains("-k \(place)/over"), "\(plain.errors)")
        for (folder, words) in [("broken", "cannot render it"), ("nowhere", "no such folder")] {
            let failed = try BuiltNetpold.run(["lint", "-k", "\(place)/\(folder)"], environment: tools)
            #expect(failed.code == 2 && failed.output.contains(words), "\(failed.output)")
        }
        let none = try BuiltNetpold.run(["lint", "-k", "\(place)/over"], environment: ["PATH": "/nowhere"])
        #expect(none.code == 2 && none.output.contains("neither kustomize nor kubectl is on PATH"))
    }
}
