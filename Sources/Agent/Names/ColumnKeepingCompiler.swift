import BPFEmit
public import PolicyIR

/// Writes down what columns of names stand for before the kernel goes by them. What cannot be written down is not put in force: after
/// a restart a number could stand for another list then.
public final class ColumnKeepingCompiler: PolicyCompiler {
    private var compiler: any PolicyCompiler
    private let save: (ColumnRecords) throws -> Void
    private var saved: NameColumns
    private var record: UInt32

    /// Keeps what `compiler` numbers, going on from a record.
    public init(
        _ compiler: any PolicyCompiler, columns: NameColumns, record: UInt32,
        save: @escaping (ColumnRecords) throws -> Void
    ) {
        self.compiler = compiler
        self.save = save
        self.saved = columns
        self.record = record
    }

    /// Compiles and writes down.
    public func compile(_ desired: DesiredChanges) throws -> CompiledNode {
        var compiled = try compiler.compile(desired)
        if compiled.columns != saved {
            record += 1
            try save(ColumnRecords(compiled.columns, record: record))
            saved = compiled.columns
        }
        compiled.image.columnRecord = record
        return compiled
    }
}
