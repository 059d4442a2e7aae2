public import ArgumentParser

/// `netpold completion`: what a shell needs to complete command lines. Beside the root, whose commands they are.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print the completion script of a shell.",
        discussion: """
            Examples:
              netpold completion bash > /etc/bash_completion.d/netpold
              netpold completion zsh > ~/.zfunc/_netpold
              netpold completion fish > ~/.config/fish/completions/netpold.fish
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: CompletionShell

    func run() throws {
        print(DefaultCompletion.adding(to: Netpold.completionScript(for: shell), for: shell, Netpold.self))
    }
}

extension CompletionShell: @retroactive ExpressibleByArgument {
    /// The shell of a name; `nil` for one that the parser has no script for.
    public init?(argument: String) { self.init(rawValue: argument) }
}
