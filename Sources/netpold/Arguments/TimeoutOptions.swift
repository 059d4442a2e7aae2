import ArgumentParser

/// How long a command waits for the agent.
struct TimeoutOptions: ParsableArguments {
    @Option(
        name: .customLong("timeout"),
        help: ArgumentHelp("Seconds to wait for the agent's answer.", valueName: "seconds"))
    var seconds = 5

    func validate() throws {
        guard (1...3600).contains(seconds) else { throw ValidationError("--timeout is 1 to 3600 seconds") }
    }

    /// The time.
    var duration: Duration { .seconds(seconds) }
}
