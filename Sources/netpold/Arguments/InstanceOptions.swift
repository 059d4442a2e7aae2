import Agent
import ArgumentParser

/// Which agent a command is about.
struct InstanceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The agent's instance: several may run side by side.", valueName: "name"))
    var instance = "default"

    @Option(
        help: ArgumentHelp("Path of the agent's socket. (default: /run/netpold/INSTANCE.sock)", valueName: "path"))
    var socket: String?

    func validate() throws { _ = try paths() }

    /// Where the instance's files are.
    func paths() throws -> InstancePaths {
        guard let paths = InstancePaths(instance: instance) else {
            throw ValidationError(
                "--instance \(instance): a name is 1 to 32 letters a-z, digits and dashes, and does not begin with a dash"
            )
        }
        return paths
    }

    /// The instance's socket, or the one that the user chose.
    var socketPath: String { socket ?? InstancePaths(instance: instance)?.socket ?? "" }
}
