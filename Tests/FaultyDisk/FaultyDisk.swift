import CSQLite
import Foundation
import Synchronization

/// An SQLite VFS that passes everything on to the default one, and asks first: a test can count, fail, stall or record
/// each read, write and sync under one directory.
///
/// Modelled on https://www.sqlite.org/src/file/src/test_vfs.c.
package final class FaultyDisk: Sendable {
    package static let vfs = "faulty-disk"

    package enum Operation: Equatable { case read, write([UInt8]), sync, truncate }
    package struct Call {
        package let operation: Operation
        package let path: String
        package let offset: Int64
        package let bytes: Int
    }
    /// Returns an SQLite result code to fail with, or nil to go on.
    package typealias Hook = @Sendable (Call) -> Int32?

    /// A bare closure in a Mutex gets one more reabstraction thunk with each look at it, until the stack is full.
    private struct Box { var hook: Hook? }
    private let box = Mutex(Box())
    private static let disks = Mutex<[String: FaultyDisk]>([:])
    private static let isRegistered: Bool = register()

    /// Files opened under `directory` with this VFS come here.
    package init(directory: String) {
        _ = Self.isRegistered
        Self.disks.withLock { $0[directory] = self }
    }

    package func on(_ hook: Hook?) { box.withLock { $0.hook = hook } }

    fileprivate func verdict(
        _ operation: @autoclosure () -> Operation, _ file: UnsafeMutablePointer<FaultyFile>, _ offset: Int64,
        _ bytes: Int
    ) -> Int32? {
        guard let hook = box.withLock({ $0 }).hook else { return nil }
        let path = String(cString: file.pointee.path)
        return hook(Call(operation: operation(), path: path, offset: offset, bytes: bytes))
    }

    fileprivate static func disk(for path: String) -> FaultyDisk? {
        disks.withLock { disks in disks.first { path.hasPrefix($0.key + "/") }?.value }
    }

    private static func register() -> Bool {
        guard let original = sqlite3_vfs_find(nil) else { return false }
        let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        copy.initialize(to: original.pointee)
        copy.pointee.zName = UnsafePointer(strdup(vfs))
        copy.pointee.szOsFile += Int32(MemoryLayout<FaultyFile>.stride)
        copy.pointee.pNext = nil
        copy.pointee.xOpen = openFile
        return sqlite3_vfs_register(copy, 0) == SQLITE_OK
    }
}

/// Our part of a file; the default VFS's part follows it in memory.
private struct FaultyFile {
    var methods: UnsafePointer<sqlite3_io_methods>?
    var disk: Unmanaged<FaultyDisk>
    var path: UnsafeMutablePointer<CChar>
}

private typealias File = UnsafeMutablePointer<sqlite3_file>

private func own(_ file: File?) -> UnsafeMutablePointer<FaultyFile> {
    UnsafeMutableRawPointer(file!).assumingMemoryBound(to: FaultyFile.self)
}

private func real(_ file: File?) -> File {
    (UnsafeMutableRawPointer(file!) + MemoryLayout<FaultyFile>.stride).assumingMemoryBound(to: sqlite3_file.self)
}

private func methods(_ file: File?) -> sqlite3_io_methods { real(file).pointee.pMethods.pointee }

private func openFile(
    _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: sqlite3_filename?, _ file: File?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let original = sqlite3_vfs_find(nil), let name else { return SQLITE_CANTOPEN }
    let path = String(cString: name)
    guard let disk = FaultyDisk.disk(for: path) else { return SQLITE_CANTOPEN }
    file?.pointee.pMethods = nil
    let code = original.pointee.xOpen(original, name, real(file), flags, outFlags)
    guard code == SQLITE_OK else { return code }
    UnsafeMutableRawPointer(own(file)).initializeMemory(
        as: FaultyFile.self,
        to: FaultyFile(methods: table, disk: .passRetained(disk), path: strdup(path)))
    return SQLITE_OK
}

// Filled once and never changed; SQLite reads it from every thread.
nonisolated(unsafe) private let table: UnsafePointer<sqlite3_io_methods> = {
    var table = sqlite3_io_methods()
    table.iVersion = 1
    table.xClose = { file in
        let code = methods(file).xClose(real(file))
        free(own(file).pointee.path)
        own(file).pointee.disk.release()
        return code
    }
    table.xRead = { file, buffer, count, offset in
        let file = file
        if let code = own(file).pointee.disk.takeUnretainedValue().verdict(.read, own(file), offset, Int(count)) {
            return code
        }
        return methods(file).xRead(real(file), buffer, count, offset)
    }
    table.xWrite = { file, buffer, count, offset in
        let bytes = UnsafeRawBufferPointer(start: buffer, count: Int(count))
        let disk = own(file).pointee.disk.takeUnretainedValue()
        if let code = disk.verdict(.write(Array(bytes)), own(file), offset, Int(count)) { return code }
        return methods(file).xWrite(real(file), buffer, count, offset)
    }
    table.xTruncate = { file, size in
        if let code = own(file).pointee.disk.takeUnretainedValue().verdict(.truncate, own(file), size, 0) {
            return code
        }
        return methods(file).xTruncate(real(file), size)
    }
    table.xSync = { file, flags in
        if let code = own(file).pointee.disk.takeUnretainedValue().verdict(.sync, own(file), 0, 0) { return code }
        return methods(file).xSync(real(file), flags)
    }
    table.xFileSize = { file, size in methods(file).xFileSize(real(file), size) }
    table.xLock = { file, level in methods(file).xLock(real(file), level) }
    table.xUnlock = { file, level in methods(file).xUnlock(real(file), level) }
    table.xCheckReservedLock = { file, answer in methods(file).xCheckReservedLock(real(file), answer) }
    table.xFileControl = { file, operation, argument in methods(file).xFileControl(real(file), operation, argument) }
    table.xSectorSize = { file in methods(file).xSectorSize(real(file)) }
    table.xDeviceCharacteristics = { file in methods(file).xDeviceCharacteristics(real(file)) }
    let memory = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    memory.initialize(to: table)
    return UnsafePointer(memory)
}()
