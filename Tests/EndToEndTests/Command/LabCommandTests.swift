import Foundation
import PolicyAPI
import Testing

@Suite("netpold lab", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct LabCommandTests {
    /// Runs with a fixture that is removed afterwards.
    private func with(_ manifests: String, _ body: (LabFixture) throws -> Void) throws {
        let fixture = try LabFixture(manifests)
        defer { fixture.remove() }
        try body(fixture)
    }

    private func interfaces() throws -> [String] {
        try String(contentsOfFile: "/proc/net/dev", encoding: .utf8).split(separator: "\n")
            .compactMap { $0.split(separator: ":").first.map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    @Test("measures what the policies say, and leaves nothing behind")
    func endToEnd() throws {
        try with(LabFixture.small) { fixture in
            let before = try interfaces()
            let run = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--name", fixture.name])
            #expect(run.code == 0, "\(run.output)\(run.errors)")
            #expect(run.lastLine == "measured = predicted: 80 of 80 probes")
            #expect(run.output.contains("\n   2 x/b                               ✓"))
            #expect(!run.output.contains("\u{1b}"))
            #expect(fixture.leftovers == [])
            #expect(try interfaces() == before)
        }
    }

    @Test("--json lists every probe")
    func json() throws {
        try with(LabFixture.small) { fixture in
            let run = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--name", fixture.name, "--json"])
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            let flows = object?["flows"] as? [[String: Any]]
            #expect(flows?.count == 80)
            #expect(object?["agreeing"] as? Int == 80)
            let denied = flows?.filter { $0["predicted"] as? String == "deny" }
            // Into a from b: UDP, ping, and TCP 4242 over both families; from both strangers everything but over their
            // own family only.
            #expect(denied?.count == 14)
            #expect(denied?.allSatisfy { $0["measured"] as? String == "no answer" } == true)
        }
    }

    @Test("a signal ends the run, and everything is taken away", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(number: Int32) throws {
        try with(LabFixture.crowd(20)) { fixture in
            let started = try BuiltNetpold.start(["lab", "-f", fixture.folder, "--name", fixture.name, "--no-enforce"])
            #expect(fixture.waits(for: "netns/pods"))
            kill(started.process.processIdentifier, number)
            let run = try started.finish()
            #expect(run.code == 128 + number, "\(run.errors)")
            #expect(run.errors.contains("interrupted; the lab is gone"))
            #expect(fixture.leftovers == [])
        }
    }

    @Test("what a killed run leaves is cleaned up by the next one")
    func crash() throws {
        try with(LabFixture.crowd(20)) { fixture in
            let arguments = ["lab", "-f", fixture.folder, "--name", fixture.name, "--no-enforce"]
            let started = try BuiltNetpold.start(arguments)
            #expect(fixture.waits(for: "netns/pods"))
            kill(started.process.processIdentifier, SIGKILL)
            #expect(try started.finish().code == -SIGKILL)
            #expect(fixture.leftovers != [])
            let next = try BuiltNetpold.run(arguments)
            #expect(next.code == 0, "\(next.errors)")
            #expect(next.errors.contains("cleaning up after process"))
            #expect(fixture.leftovers == [])
        }
    }

    @Test("a kept lab enforces, answers, opens shells, is not taken over, and goes with --down")
    func keep() throws {
        try with(LabFixture.small) { fixture in
            let named = ["--name", fixture.name]
            let first = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--keep"] + named)
            #expect(first.code == 0, "\(first.errors)")
            #expect(first.errors.contains("netpold lab --shell x/a --name \(fixture.name)"))
            // The first pod has the first address that the lab gives.
            func ask(_ pod: String, _ port: Int) throws -> String {
                try BuiltNetpold.run(
                    ["lab", "--shell", pod] + named,
                    input: "timeout 1 bash -c 'exec 3<>/dev/tcp/10.244.0.1/\(port) && cat <&3'\n",
                    environment: ["SHELL": "/bin/bash"]
                ).output
            }
            #expect(try ask("x/b", 80) == "netpold x/a\n")
            #expect(try ask("x/b", 4242) == "")
            #expect(try ask("outside", 80) == "")
            #expect(try ask("host", 4242) == "netpold x/a\n")

            // The names of the lab are those of its pods' /etc/hosts, and of nobody else's.
            let hosts = try BuiltNetpold.run(["lab", "--shell", "x/b"] + named + ["--", "cat", "/etc/hosts"])
            #expect(hosts.code == 0 && hosts.output.contains("10.244.0.1 a a.x\n"), "\(hosts)")
            #expect(try !String(contentsOfFile: "/etc/hosts", encoding: .utf8).contains("a.x"))
            #expect(try BuiltNetpold.run(["lab", "--shell", "x/b"] + named + ["--", "sh", "-c", "exit 7"]).code == 7)
            #expect(try BuiltNetpold.run(["lab", "--shell", "x/b"] + named + ["--", "nothing"]).code == 2)

            // One flow, and everything again.
            for (flow, words, code) in [
                (["x/b", "x/a", "80/TCP"], "answered by x/a", Int32(0)), (["x/b", "x/a", "4242/TCP"], "no answer", 1),
                (["host", "x/b", "ICMP/8"], "answered", 0), (["x/b", "b", "80/TCP"], "", 2),
            ] {
                let probe = try BuiltNetpold.run(["lab", "probe"] + flow + named)
                #expect(probe.code == code && (code == 2 || probe.output.contains(words)), "\(probe)")
            }
            let again = try BuiltNetpold.run(["lab", "probe"] + named)
            #expect(again.code == 0 && again.lastLine == "measured = predicted: 80 of 80 probes", "\(again)")
            let json = try BuiltNetpold.run(["lab", "probe", "-o", "yaml"] + named)
            #expect(json.output.contains("agreeing: 80"), "\(json.errors)")

            let second = try BuiltNetpold.run(["lab", "-f", fixture.folder] + named)
            #expect(second.code == 3)
            #expect(second.errors.contains("was kept by an earlier run"))
            let stranger = try BuiltNetpold.run(["lab", "--shell", "x/nobody"] + named)
            #expect(stranger.code == 2)
            #expect(stranger.errors.contains("places: x/a, x/b, host, outside"), "\(stranger.errors)")
            let near = try BuiltNetpold.run(["lab", "--shell", "x/aa"] + named)
            #expect(near.errors.contains("did you mean x/a?"), "\(near.errors)")

            #expect(try BuiltNetpold.run(["lab", "--down"] + named).code == 0)
            #expect(fixture.leftovers == [])
        }
    }

    @Test("with addresses in the manifests an agent enforces, and the next run ends one that a killed run left")
    func agent() throws {
        let pods = [("a", "10.9.0.1"), ("b", "10.9.0.2")].map { name, address in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: x, labels: {app: \(name)}}
            spec: {nodeName: node-1, containers: [{name: c, image: i}]}
            status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}]}
            """
        }
        let policy = LabFixture.small.components(separatedBy: "\n---\n")[2]
        try with((pods + [policy]).joined(separator: "\n---\n") + "\n") { fixture in
            let arguments = ["lab", "-f", fixture.folder, "--name", fixture.name]
            let whole = try BuiltNetpold.run(arguments)
            #expect(whole.code == 0, "\(whole.output)\(whole.errors)")
            #expect(fixture.leftovers == [])

            let started = try BuiltNetpold.start(arguments)
            #expect(fixture.waits(for: "agent.log"))
            kill(started.process.processIdentifier, SIGKILL)
            #expect(try started.finish().code == -SIGKILL)
            #expect(fixture.leftovers.contains { $0.hasPrefix("process") })
            let next = try BuiltNetpold.run(arguments)
            #expect(next.code == 0, "\(next.output)\(next.errors)")
            #expect(fixture.leftovers == [])
        }
    }

    @Test("a lab in use is not touched by another process")
    func inUse() throws {
        try with(LabFixture.crowd(20)) { fixture in
            let started = try BuiltNetpold.start(["lab", "-f", fixture.folder, "--name", fixture.name, "--no-enforce"])
            #expect(fixture.waits(for: "netns/pods"))
            let down = try BuiltNetpold.run(["lab", "--down", "--name", fixture.name])
            #expect(down.code == 3)
            #expect(down.errors.contains("is in use by process \(started.process.processIdentifier)"))
            #expect(try started.finish().code == 0)
        }
    }
}

@Suite("netpold lab, arguments and manifests")
struct LabInputTests {
    @Test("manifests with an error are refused with their places before anything is built")
    func badManifest() throws {
        let fixture = try LabFixture("apiVersion: v1\nkind: Pod\nmetadata: {name: 7}\n")
        defer { try? FileManager.default.removeItem(atPath: fixture.folder) }
        let run = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--name", fixture.name])
        #expect(run.code == 2)
        #expect(run.errors.contains("all.yaml:3:"))
        #expect(run.errors.contains("nothing was built"))
        #expect(fixture.leftovers == [])
    }

    @Test("manifests without a pod are refused")
    func noPods() throws {
        let fixture = try LabFixture("{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n")
        defer { try? FileManager.default.removeItem(atPath: fixture.folder) }
        let run = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--name", fixture.name])
        #expect(run.code == 2)
        #expect(run.errors == "error: there is no pod in the manifests\n")
    }

    @Test("one of -f, --shell and --down is needed", arguments: [["lab"], ["lab", "--down", "--shell", "x/a"]])
    func oneWay(arguments: [String]) throws {
        let run = try BuiltNetpold.run(arguments)
        #expect(run.code != 0)
        #expect(run.errors.contains("give one of PATH, -f PATH, -k FOLDER, --shell NAMESPACE/POD and --down"))
    }
}
