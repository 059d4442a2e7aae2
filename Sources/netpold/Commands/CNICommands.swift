public import ArgumentParser
public import CNIPlugin
import Foundation
import Support

/// `netpold cni`.
struct CNICommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cni",
        abstract: "Make pods wait until their policies are in force: netpold as a chained CNI plugin.",
        discussion: """
            Container runtimes call netpold behind the plugin that connects a pod. The pod's interface is closed at once, and the \
            pod starts when the agent has its policies in force; so there is no moment in which it is open, also when no agent runs.

            In netpold's part of the conflist: "waitSeconds" (10) is how long a pod waits; "onTimeout" what becomes of it then: \
            "fail" (the runtime tries again) or "start" (it starts closed: it reaches nobody until its policies are in force); \
            "unenforceable" what becomes of pods whose interface is no veth of the host: "refuse" or "allow".

            Example: netpold cni install
            """,
        subcommands: [CNIInstallCommand.self, CNIUninstallCommand.self])

    /// A runtime may also be told to call `netpold cni`.
    func run() throws {
        if CNIEntry.isCalled { CNIEntry.run() }
        throw CleanExit.helpRequest(self)
    }
}

/// Where a node's runtime reads.
struct CNIFolders: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where the runtime reads its network configuration.", valueName: "folder"),
        completion: .directory)
    var confDir = "/etc/cni/net.d"

    @Option(help: ArgumentHelp("Where the runtime finds plugins.", valueName: "folder"), completion: .directory)
    var binDir = "/opt/cni/bin"

    var installer: CNIInstaller { CNIInstaller(configurations: confDir, plugins: binDir) }
}

extension CNIConfiguration.Lateness: ExpressibleByArgument {}
extension CNIConfiguration.Unenforceable: ExpressibleByArgument {}

/// `netpold cni install`.
struct CNIInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract:
            "Copy this program to the runtime's plugins and add it to the end of the node's network configuration.",
        usage: "netpold cni install [<options>]",
        discussion: """
            The configuration is the first by name, which is the one that runtimes use. It changes in one step, and the file that \
            was there is kept beside it (.netpold-original). Doing it again changes nothing. Pods that run already are not touched.

            Network plugins write their file anew when they start, and without netpold. With --follow the command stays, waits for a \
            file that is not there yet, and puts netpold in again within a second.

            Exit codes: 0 installed; 2 wrong arguments; 3 a file cannot be read or written, as said.
            """)

    @OptionGroup var folders: CNIFolders
    @OptionGroup var instance: InstanceOptions

    @Option(help: ArgumentHelp("Seconds that a pod waits for its policies.", valueName: "seconds"))
    var waitSeconds = 10

    @Option(help: "What becomes of a pod that is late: fail, and the runtime tries again, or start, closed.")
    var onTimeout = CNIConfiguration.Lateness.fail

    @Option(help: "What becomes of a pod whose interface is no veth of the host: refuse or allow.")
    var unenforceable = CNIConfiguration.Unenforceable.refuse

    @Flag(help: "Stay, and install again whenever the configuration is written anew.")
    var follow = false

    func validate() throws {
        guard (0...600).contains(waitSeconds) else { throw ValidationError("--wait-seconds is 0 to 600") }
    }

    func run() throws {
        var options: [String: CNIInstaller.Option] = [
            "instance": .text(instance.instance), "waitSeconds": .number(waitSeconds),
            "onTimeout": .text(onTimeout.rawValue), "unenforceable": .text(unenforceable.rawValue),
        ]
        if let socket = instance.socket { options["socket"] = .text(socket) }
        if follow { keep(options) }
        do {
            let done = try folders.installer.install(executable: Self.executable, options: options)
            print(done.isEmpty ? "netpold is there already" : done.joined(separator: "\n"))
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }

    private static let executable = "/proc/self/exe"

    /// Goes on until a signal ends it; each file is written in one step.
    private func keep(_ options: [String: CNIInstaller.Option]) -> Never {
        var follower = CNIFollower(folders.installer, executable: Self.executable, options: options)
        while true {
            switch follower.look() {
            case .installed(let done): print(done.joined(separator: "\n"))
            case .waiting(let reason): ErrorOutput.error("\(reason); trying again")
            case nil: break
            }
            fflush(nil)
            sleep(1)
        }
    }
}

/// `netpold cni uninstall`.
struct CNIUninstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Take netpold out of the node's network configuration.",
        usage: "netpold cni uninstall [<options>]",
        discussion: """
            The plugin itself stays: runtimes call it once more for each pod that was started with it. --remove-plugin removes it \
            too, when those are gone. What is enforced stays so; `netpold detach` ends that.

            Exit codes: 0 done, or there was nothing; 2 wrong arguments; 3 a file cannot be read or written, as said.
            """)

    @OptionGroup var folders: CNIFolders

    @Flag(help: "Remove the plugin too.")
    var removePlugin = false

    func run() throws {
        do {
            let done = try folders.installer.uninstall(keepsPlugin: !removePlugin)
            print(
                done.isEmpty
                    ? "netpold is in no network configuration of \(folders.confDir)" : done.joined(separator: "\n"))
        } catch {
            ErrorOutput.error("\(error)")
            throw ExitCode.of(error)
        }
    }
}
