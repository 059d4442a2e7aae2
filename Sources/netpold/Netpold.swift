import ArgumentParser
import Support

@main
struct Netpold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "netpold",
        abstract: "Compile Kubernetes and Cilium network policies to eBPF, test them, and enforce them on pods' veths.",
        version: NetpoldVersion.text,
        subcommands: [
            LintCommand.self, CompileCommand.self, TestCommand.self, ExplainCommand.self,
            LabCommands.self, LabRespondCommand.self,
            AgentCommands.self, StatusCommand.self, WaitCommand.self, EndpointsCommand.self, PoliciesCommand.self,
            RulesCommand.self, IdentitiesCommand.self, ServicesCommand.self, ConntrackCommand.self, MapsCommand.self,
            NamesCommand.self, MonitorCommand.self, HostCommands.self, DetachCommand.self, ProxyCommand.self,
            CNICommands.self,
            BenchCommand.self, BenchCoresCommand.self, BenchCompileCommand.self, BenchLoadCommand.self,
            BenchKubeCommand.self,
            BenchNetCommand.self,
            BenchChangesCommand.self, BenchClusterCommand.self, BenchClusterServerCommand.self,
            BenchScaleCommand.self, BenchAgentCommand.self, BenchL7Command.self, BenchNamesCommand.self,
            VersionCommand.self, CompletionCommand.self,
        ])

    /// Wrong arguments are bad input like wrong manifests, so they get the same exit code, not ArgumentParser's 64.
    static func main() async {
        // A container runtime calls plugins without arguments.
        if CommandLine.arguments.count == 1, CNIEntry.isCalled { CNIEntry.run() }
        let arguments = HelpWords.asOption(Array(CommandLine.arguments.dropFirst()), Netpold.self)
        if let mistake = HelpWords.mistake(arguments, Netpold.self) {
            ErrorOutput.error(mistake)
            exit(withError: ExitCode.badInput)
        }
        var usage: String?
        do {
            var command = try parseAsRoot(arguments)
            usage = type(of: command).configuration.usage
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            try StandardOutput.finish()
        } catch let unwritten as StandardOutput.Unwritten {
            exit(withError: unwritten.code)
        } catch {
            guard exitCode(for: error) == .validationFailure else {
                if let code = error as? ExitCode {
                    if !code.isSuccess { ProgramAnswer.giveFailure() }
                    end(error)
                }
                // Help and versions, which the parser would print after this.
                if exitCode(for: error).isSuccess {
                    print(
                        GroupHelp.text(arguments, Netpold.self)
                            ?? fullMessage(for: error))
                    end(ExitCode.success)
                }
                exit(withError: error)
            }
            let message = fullMessage(for: error)
            // The word as in every other message.
            let prefix = "Error: "
            let text = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
            // What a command finds out when it runs the parser says with the usage of the root.
            ErrorOutput.error(
                usage.map { HelpWords.message(text, usage: $0) }
                    ?? MistypedCommand.hint(text, arguments, Netpold.self))
            exit(withError: ExitCode.badInput)
        }
    }

    /// Ends with a code, or with that of output which cannot be written.
    private static func end(_ error: any Error) -> Never {
        do { try StandardOutput.finish() } catch { exit(withError: error.code) }
        exit(withError: error)
    }
}
