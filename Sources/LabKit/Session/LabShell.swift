import CLinux
import Datapath
import Foundation
import Glibc
import PolicyAnalysis
import Support
import SystemPackage

/// A shell inside a pod of a lab.
public enum LabShell {
    /// Replaces this process by a shell, or a command, in the network namespace of `pod` (`namespace/name`, or `host`, `host/node-2`,
    /// `outside`). The lab's names are in its /etc/hosts.
    public static func open(_ pod: String, lab name: String, command: [String] = []) throws -> Never {
        guard geteuid() == 0 else { throw LabFailure.environment("entering a namespace needs root; run it with sudo") }
        guard let state = LabFolder.state(of: name) else {
            throw LabFailure.environment(
                "there is no lab \"\(name)\"; `netpold lab -f MANIFESTS --keep\(LabSession.option(name))` makes one")
        }
        let folder = "\(LabFolder.root)/\(name)/netns"
        let path: String
        switch pod {
        case "host": path = NetworkLayout.nodePath(in: folder)
        case "outside": path = NetworkLayout.outsidePath(in: folder)
        default:
            let hosts = state.nodes.count == 1 ? ["host"] : state.nodes.map { "host/\($0.name)" }
            if let node = hosts.firstIndex(of: pod) {
                path = NetworkLayout.nodePath(in: folder, node: node)
                break
            }
            guard let found = state.pods.first(where: { $0.qualifiedName == pod }) else {
                let names = state.pods.map(\.qualifiedName) + hosts + ["outside"]
                throw LabFailure.input(
                    "there is no pod \(pod) in lab \"\(name)\"\(NameHint.text(pod, names, noun: "places"))")
            }
            path = "\(NetworkLayout.podsFolder(in: folder, node: found.node))/\(found.attachment)"
        }
        try NetworkNamespace(path: path).enter()
        let shell = ProcessInfo.processInfo.environment["SHELL"] ?? "/bin/sh"
        setenv("NETPOLD_POD", pod, 1)
        setenv("PS1", "\(pod) \\$ ", 1)
        // A shell that reads its own prompt from a start-up file would hide where one is.
        let isBash = shell.hasSuffix("/bash")
        let arguments = isBash ? [shell, "--norc", "--noprofile"] : [shell]
        // Whoever started this may have signals blocked or ignored; a shell in which Ctrl-C does nothing helps nobody.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        for number in [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGALRM, SIGPIPE, SIGCHLD] { signal(number, SIG_DFL) }
        try showNames(LabHosts.text(state, namespace: String(pod.prefix { $0 != "/" })), pod, in: folder)
        let words = command.isEmpty ? arguments : command
        var pointers = words.map { strdup($0) } + [nil]
        execvp(command.first ?? shell, &pointers)
        let failure = SystemError("start", command.first ?? shell, .current)
        guard let missing = command.first else { throw failure }
        throw LabFailure.input("\(missing) cannot be started: \(failure.reason ?? "")")
    }

    /// Puts the lab's names in the place of /etc/hosts, in a mount namespace of this process.
    private static func showNames(_ text: String, _ pod: String, in folder: String) throws {
        let place = "/etc/hosts"
        guard access(place, F_OK) == 0 else { return }
        let file = "\(folder)/../hosts-\(pod.replacing("/", with: "_"))"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try SystemError.check("make mount namespace", "this process") { np_unshare_mounts() }
        // What is mounted here is nobody else's business.
        try SystemError.check("make private", "/") { mount(nil, "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
        try SystemError.check("bind", place) { mount(file, place, nil, UInt(MS_BIND), nil) }
    }
}
