import Agent

/// The compiler of the agent with a stopwatch.
struct MeasuredCompiler: PolicyCompiler {
    var compiler = NodePolicyCompiler()
    let stopwatch: ChangeStopwatch

    mutating func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        let begin = ContinuousClock.now
        defer { stopwatch.compiled(from: begin) }
        return try compiler.compile(desired)
    }
}
