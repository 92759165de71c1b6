# The one build description: the core library, the addon, the unit tests and the micro-benchmarks.
# Sources are found by folder, so a new file needs no edit here. Fuzz targets are one program per
# file; scripts/build-native.mjs lists them and hands them to gyp beside this file.
#
# Configurations, each with its own output directory native/build/<name>:
#   Release   what is shipped
#   Asan      AddressSanitizer and UndefinedBehaviorSanitizer
#   Tsan      ThreadSanitizer (programs only: the addon cannot be loaded into a plain Node)
#   Fuzz      clang with libFuzzer and AddressSanitizer (fuzz targets only)
{
  'variables': {
    # An installed package has neither folder.
    'has_tests%': '<!(test -d ../test/native && echo 1 || echo 0)',
    'has_benchmarks%': '<!(ls ../bench/native/*.cc >/dev/null 2>&1 && echo 1 || echo 0)',
    # 'system': the static libraries of libssl-dev, 'system-compressed' with those that they want.
    # 'node…': what the Node that loads the addon brings, which knows no kTLS.
    # scripts/build-native.mjs finds out and says so.
    'sluice_openssl%': 'node',
  },
  'target_defaults': {
    'include_dirs': ['.'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'cflags': ['-O2', '-g1', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-pthread'],
    'cflags_cc': ['-std=c++20', '-fvisibility-inlines-hidden', '-Wno-missing-field-initializers'],
    'ldflags': ['-pthread'],
    'default_configuration': 'Release',
    'configurations': {
      'Release': {'cflags!': ['-O3']},
      'Asan': {
        'defines': ['SLUICE_ASAN'],
        # Not vptr: to see whether memory can be read it opens a pipe, and where there are no
        # descriptors it takes every object for a wrong one. Freed objects of slabs are poisoned
        # (core/slab.h), so that AddressSanitizer sees what vptr was good for.
        'cflags': [
          '-O1', '-fno-omit-frame-pointer', '-fsanitize=address,undefined',
          '-fno-sanitize-recover=undefined', '-fno-sanitize=vptr',
        ],
        'ldflags': ['-fsanitize=address,undefined'],
      },
      'Tsan': {
        'defines': ['SLUICE_TSAN'],
        'cflags': ['-O1', '-fno-omit-frame-pointer', '-fsanitize=thread'],
        'ldflags': ['-fsanitize=thread'],
      },
      'Fuzz': {
        'defines': ['SLUICE_LIBFUZZER'],
        'cflags': ['-O1', '-fno-omit-frame-pointer', '-fsanitize=fuzzer-no-link,address,undefined'],
        'ldflags': ['-fsanitize=fuzzer,address,undefined'],
      },
    },
  },
  'targets': [
    {
      'target_name': 'sluice_core',
      'type': 'static_library',
      'sources': [
        '<!@(find core net http log route transfer files proxy worker -name "*.cc" 2>/dev/null | sort)',
      ],
      'conditions': [
        ['sluice_openssl=="system" or sluice_openssl=="system-compressed"', {
          # Node's headers have OpenSSL's in them, configured otherwise: the core sees none of them.
          # What is linked in is a copy of our own, whose names nobody else sees (exclude-libs).
          'include_dirs!': ['<(node_root_dir)/include/node'],
          'link_settings': {'libraries': ['-l:libssl.a', '-l:libcrypto.a', '-ldl']},
          'conditions': [
            ['sluice_openssl=="system-compressed"', {
              'link_settings': {'libraries': ['-l:libzstd.a', '-l:libz.a']},
            }],
          ],
        }, {
          # Programs of ours have no Node around them: they do without, since none speaks TLS.
          'link_settings': {'ldflags': ['-Wl,--unresolved-symbols=ignore-all']},
        }],
      ],
    },
    {
      'target_name': 'sluice',
      'dependencies': ['sluice_core'],
      'sources': ['<!@(find binding -name "*.cc" 2>/dev/null | sort)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
      'ldflags': ['-Wl,--exclude-libs,ALL'],
    },
  ],
  'conditions': [
    ['has_tests==1', {
      'targets': [
        {
          'target_name': 'unit_tests',
          'type': 'executable',
          'dependencies': ['sluice_core'],
          'include_dirs': ['../test/native'],
          'sources': ['<!@(find ../test/native -name "*.cc" | sort)'],
        },
      ],
    }],
    ['has_benchmarks==1', {
      'targets': [
        {
          'target_name': 'micro_benchmarks',
          'type': 'executable',
          'dependencies': ['sluice_core'],
          'sources': ['<!@(find ../bench/native -name "*.cc" | sort)'],
        },
      ],
    }],
  ],
}
