import Agent
import ArgumentParser

/// Which agent a command is about, by its name.
struct InstanceName: ParsableArguments {
    @Option(help: ArgumentHelp("The agent's instance: several may run side by side.", valueName: "name"))
    var instance = "default"

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
}

/// Which agent a command talks to.
struct InstanceOptions: ParsableArguments {
    @OptionGroup var name: InstanceName

    @Option(
        help: ArgumentHelp("Path of the agent's socket. (default: /run/netpold/INSTANCE.sock)", valueName: "path"),
        completion: .file())
    var socket: String?

    /// The instance's name.
    var instance: String { name.instance }

    /// Where the instance's files are.
    func paths() throws -> InstancePaths { try name.paths() }

    /// The instance's socket, or the one that the user chose.
    var socketPath: String { socket ?? InstancePaths(instance: instance)?.socket ?? "" }
}
